# SPDX-License-Identifier: Apache-2.0
# Takes away what the last cmake --install of this build directory installed, and the directories below
# its prefix that are empty then. Settings, records and the data of volumes are elsewhere: they stay.
cmake_policy(VERSION 3.25)
if(NOT EXISTS install_manifest.txt OR NOT EXISTS install_prefix.txt)
	message(FATAL_ERROR "nothing was installed from this build directory")
endif()
file(READ install_prefix.txt prefix)
file(STRINGS install_manifest.txt files)

# What a system has with nothing in it.
set(kept ${prefix})
foreach(dir bin sbin include lib share share/man)
	foreach(top /usr /usr/local)
		list(APPEND kept $ENV{DESTDIR}${top}/${dir})
	endforeach()
endforeach()

# remove_empty(DIR): and what is above it, up to the prefix.
function(remove_empty dir)
	cmake_path(IS_PREFIX prefix ${dir} is_below)
	while(is_below AND NOT dir IN_LIST kept AND IS_DIRECTORY ${dir})
		execute_process(COMMAND rmdir ${dir} RESULT_VARIABLE failed ERROR_QUIET)
		if(failed)
			return()
		endif()
		cmake_path(GET dir PARENT_PATH dir)
	endwhile()
endfunction()

foreach(file IN LISTS files)
	set(file $ENV{DESTDIR}${file})
	cmake_path(IS_PREFIX prefix ${file} is_below)
	if(is_below AND (EXISTS ${file} OR IS_SYMLINK ${file}))
		message("removing ${file}")
		file(REMOVE ${file})
	endif()
endforeach()
foreach(file IN LISTS files)
	cmake_path(GET file PARENT_PATH dir)
	remove_empty($ENV{DESTDIR}${dir})
endforeach()
