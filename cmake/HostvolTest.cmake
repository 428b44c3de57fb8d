# SPDX-License-Identifier: Apache-2.0
# hostvol_test(NAME SOURCES <files> [USES <libraries>] [WRAP <functions>] [LABELS <labels>])
#
# One cmocka program. WRAP lists functions the linker redirects to __wrap_<function>. A test that
# exits 77 is skipped; with HOSTVOL_MUST_RUN_PRIV=1 in the environment it fails instead.
function(hostvol_test NAME)
	cmake_parse_arguments(ARG "" "" "SOURCES;USES;WRAP;LABELS" ${ARGN})
	add_executable(${NAME} ${ARG_SOURCES})
	target_include_directories(${NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
	target_link_libraries(${NAME} PRIVATE hostvol_flags hv_test_support ${ARG_USES})
	foreach(function IN LISTS ARG_WRAP)
		target_link_options(${NAME} PRIVATE -Wl,--wrap=${function})
	endforeach()
	if(NOT ARG_LABELS)
		set(ARG_LABELS unit)
	endif()
	add_test(NAME ${NAME} COMMAND ${NAME})
	set_tests_properties(${NAME} PROPERTIES
		LABELS "${ARG_LABELS}" SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()

# hostvol_fuzzer(NAME USES <libraries>)
#
# fuzz_NAME.c with the corpus in corpus/NAME/. With HOSTVOL_FUZZ it is a libFuzzer program; always
# it is a test that replays the corpus. No corpus is a configure error: an empty replay proves nothing.
function(hostvol_fuzzer NAME)
	cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
	set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${NAME})
	file(GLOB seeds CONFIGURE_DEPENDS ${corpus}/*)
	if(NOT seeds)
		message(FATAL_ERROR "fuzz target ${NAME} has no corpus in ${corpus}")
	endif()
	add_executable(fuzz_${NAME} fuzz_${NAME}.c)
	target_include_directories(fuzz_${NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
	target_link_libraries(fuzz_${NAME} PRIVATE hostvol_flags ${ARG_USES})
	if(HOSTVOL_FUZZ)
		target_link_options(fuzz_${NAME} PRIVATE -fsanitize=fuzzer)
		add_test(NAME fuzz_${NAME} COMMAND fuzz_${NAME} -runs=0 ${corpus})
	else()
		target_sources(fuzz_${NAME} PRIVATE replay.c)
		add_test(NAME fuzz_${NAME} COMMAND fuzz_${NAME} ${seeds})
	endif()
	set_tests_properties(fuzz_${NAME} PROPERTIES LABELS fuzz)
endfunction()
