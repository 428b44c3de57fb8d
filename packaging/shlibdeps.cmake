# SPDX-License-Identifier: Apache-2.0
# Run by cpack when the files of the packages are in place: the dependencies of libmountcore0.
file(GLOB_RECURSE library LIST_DIRECTORIES false
	"${CPACK_TEMPORARY_DIRECTORY}/mountcore/*/libmountcore.so.${CPACK_PACKAGE_VERSION}")
find_program(SHLIBDEPS_EXECUTABLE dpkg-shlibdeps REQUIRED)
set(dir "${CPACK_TEMPORARY_DIRECTORY}/shlibdeps") # it wants a source package
file(MAKE_DIRECTORY "${dir}/debian")
file(WRITE "${dir}/debian/control" "Source: hostvol\n\nPackage: libmountcore0\nArchitecture: any\n")
execute_process(COMMAND ${SHLIBDEPS_EXECUTABLE} --warnings=0 -O ${library} WORKING_DIRECTORY "${dir}"
	OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${dir}")
if(NOT found MATCHES "shlibs:Depends=([^\n]+)")
	message(FATAL_ERROR "dpkg-shlibdeps names no package for ${library}")
endif()
set(CPACK_DEBIAN_MOUNTCORE_PACKAGE_DEPENDS "${CMAKE_MATCH_1}")
