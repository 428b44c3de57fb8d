# SPDX-License-Identifier: Apache-2.0
# hostvol_library(NAME SOURCES <files> [SHOWS <libraries>] [USES <libraries>])
#
# One static library of a layer. It exports its own include/, and what its public headers include
# (SHOWS). It sees only the headers of these and of what it USES, which who links it does not: an
# include sideways or upwards, or past a layer, fails as "No such file". Each of its public headers
# is compiled alone, twice, by the target headers_NAME.
function(hostvol_library NAME)
	cmake_parse_arguments(ARG "" "" "SOURCES;SHOWS;USES" ${ARGN})
	add_library(${NAME} STATIC ${ARG_SOURCES})
	target_include_directories(${NAME} PUBLIC include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(${NAME} PRIVATE hostvol_flags ${ARG_USES} PUBLIC ${ARG_SHOWS})
	hostvol_header_check(${NAME})
endfunction()

function(hostvol_header_check NAME)
	file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE
		${CMAKE_CURRENT_SOURCE_DIR}/include include/*.h)
	if(NOT headers)
		message(FATAL_ERROR "${NAME} has no public header")
	endif()
	set(sources)
	foreach(header IN LISTS headers)
		string(MAKE_C_IDENTIFIER ${header} id)
		set(source ${CMAKE_CURRENT_BINARY_DIR}/header_${id}.c)
		file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
			"#include \"@header@\"\n#include \"@header@\"\ntypedef int header_@id@;\n")
		list(APPEND sources ${source})
	endforeach()
	add_library(headers_${NAME} OBJECT ${sources})
	target_include_directories(headers_${NAME} PRIVATE include)
	target_link_libraries(headers_${NAME} PRIVATE hostvol_flags ${NAME})
endfunction()
