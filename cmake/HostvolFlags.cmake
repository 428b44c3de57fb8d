# SPDX-License-Identifier: Apache-2.0
# Compiler flags as one INTERFACE target: every hostvol target links hostvol_flags, nothing is global.
include(CheckLinkerFlag)

add_library(hostvol_flags INTERFACE)

target_compile_definitions(hostvol_flags INTERFACE _GNU_SOURCE HOSTVOL_VERSION="${PROJECT_VERSION}")

target_compile_options(hostvol_flags INTERFACE
	-Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Walloca
	-Wimplicit-fallthrough -Wswitch-enum -Wdate-time
	# Wrong code in every build, whatever the build type.
	-Werror=format-security -Werror=implicit-function-declaration
	-Werror=incompatible-pointer-types -Werror=int-conversion -Werror=return-type
	-Werror=strict-prototypes -Werror=missing-prototypes -Werror=vla
	-fvisibility=hidden -fno-common)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(hostvol_flags INTERFACE
		-Wformat-signedness -Wlogical-op -Wduplicated-cond -Wduplicated-branches
		-Wjump-misses-init)
endif()

if(HOSTVOL_STATIC)
	target_compile_definitions(hostvol_flags INTERFACE HOSTVOL_STATIC)
endif()
if(HOSTVOL_SANITIZE)
	target_compile_options(hostvol_flags INTERFACE
		-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(hostvol_flags INTERFACE -fsanitize=address,undefined)
endif()
if(HOSTVOL_TSAN)
	target_compile_options(hostvol_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
	target_link_options(hostvol_flags INTERFACE -fsanitize=thread)
endif()
if(HOSTVOL_ANALYZE)
	# gcc 12 loses a pointer that is stored in an array or behind a pointer, and calls it a leak; the
	# sanitizers of the preset dev find leaks.
	target_compile_options(hostvol_flags INTERFACE -fanalyzer -Wno-analyzer-malloc-leak)
endif()
if(HOSTVOL_COVERAGE)
	target_compile_options(hostvol_flags INTERFACE
		--coverage -fprofile-update=atomic -fprofile-abs-path)
	target_link_options(hostvol_flags INTERFACE --coverage)
endif()
if(HOSTVOL_TRACE)
	target_compile_options(hostvol_flags INTERFACE -O0 -finstrument-functions
		-finstrument-functions-exclude-file-list=/tests/,/bench/,/usr/)
endif()
if(HOSTVOL_FUZZ)
	# The libraries too: with only the harness instrumented libFuzzer is blind.
	target_compile_options(hostvol_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
	target_compile_options(hostvol_flags INTERFACE
		-O2 # -O3 of CMake is larger, and no faster: it waits for the kernel
		-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
		-fstack-clash-protection -fcf-protection -ffunction-sections -fdata-sections)
	set(pie -pie)
	if(HOSTVOL_STATIC) # with -pie beside it the program would be dynamic
		set(pie -static-pie)
		# Nothing unwinds it; a static program has a relocation for each of its pointers.
		target_compile_options(hostvol_flags INTERFACE -fno-asynchronous-unwind-tables -fno-unwind-tables)
		check_linker_flag(C -Wl,-z,pack-relative-relocs HOSTVOL_HAS_RELR)
		if(HOSTVOL_HAS_RELR)
			target_link_options(hostvol_flags INTERFACE -Wl,-z,pack-relative-relocs)
		endif()
	endif()
	target_link_options(hostvol_flags INTERFACE
		$<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${pie}> -Wl,-z,relro,-z,now,--gc-sections)
endif()

# hostvol_analyzer_off(WARNING FILE...)
#
# Files of this directory about which -Wanalyzer-WARNING of gcc 12 is wrong; the caller says why.
function(hostvol_analyzer_off WARNING)
	if(HOSTVOL_ANALYZE)
		set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -Wno-analyzer-${WARNING})
	endif()
endfunction()
