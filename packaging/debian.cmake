# SPDX-License-Identifier: Apache-2.0
# The Debian packages: cmake --preset package, build it, cpack. One for each component: hostvol,
# libmountcore0 and libmountcore-dev.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hostvol)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL hostvol mountcore mountcore-dev)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(HOSTVOL_MAINTAINER "The hostvol developers <noreply@github.com>" CACHE STRING
	"Who answers for the package")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${HOSTVOL_MAINTAINER})
# As in plugin-config/config.json.
set(HOSTVOL_HOMEPAGE "https://docs.docker.com/engine/extend/plugins_volume/" CACHE STRING
	"The package's home page")
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE ${HOSTVOL_HOMEPAGE})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_HOSTVOL_PACKAGE_NAME hostvol)
set(CPACK_DEBIAN_HOSTVOL_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_HOSTVOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_HOSTVOL_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_HOSTVOL_PACKAGE_RECOMMENDS "docker.io | docker-ce | podman")
string(JOIN "\n" CPACK_DEBIAN_HOSTVOL_DESCRIPTION
	"volume driver for Docker that attaches volumes to running containers"
	"Volumes of the driver hostvol are directories or file systems of the host. Like"
	"any other volume they are given to containers with docker run -v. In addition"
	"they can be put into a container that is running already, without stopping it,"
	"and taken out again. What is attached stays so over restarts of the container,"
	"the Docker Engine and the machine.")
file(READ debian/managed-plugin HOSTVOL_MANAGED_PLUGIN)
string(STRIP "${HOSTVOL_MANAGED_PLUGIN}" HOSTVOL_MANAGED_PLUGIN)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS debian/managed-plugin)
foreach(script postinst postrm)
	configure_file(debian/${script}.in ${CMAKE_CURRENT_BINARY_DIR}/debian/${script}
		@ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
		WORLD_READ WORLD_EXECUTE)
	list(APPEND CPACK_DEBIAN_HOSTVOL_PACKAGE_CONTROL_EXTRA
		${CMAKE_CURRENT_BINARY_DIR}/debian/${script})
endforeach()
foreach(script conffiles prerm)
	list(APPEND CPACK_DEBIAN_HOSTVOL_PACKAGE_CONTROL_EXTRA
		${CMAKE_CURRENT_SOURCE_DIR}/debian/${script})
endforeach()

# What it depends on is found by shlibdeps.cmake: CPack's own way adds scripts that call ldconfig, where a
# trigger is wanted.
set(CPACK_DEBIAN_MOUNTCORE_PACKAGE_NAME libmountcore0)
set(CPACK_DEBIAN_MOUNTCORE_PACKAGE_SOURCE hostvol)
set(CPACK_DEBIAN_MOUNTCORE_PACKAGE_SECTION libs)
string(JOIN "\n" CPACK_DEBIAN_MOUNTCORE_DESCRIPTION
	"library that attaches directories of the host to running containers"
	"Puts a clone of a directory's mount tree into the mount namespace of a process,"
	"takes it out again, and looks at what is mounted there. Symlinks are resolved"
	"inside the namespace, a mount is verified after it was made, and a failure"
	"leaves nothing behind. No container engine is needed.")
configure_file(debian/libmountcore0.shlibs.in ${CMAKE_CURRENT_BINARY_DIR}/debian/shlibs @ONLY)
configure_file(debian/libmountcore0.triggers ${CMAKE_CURRENT_BINARY_DIR}/debian/triggers COPYONLY)
set(CPACK_DEBIAN_MOUNTCORE_PACKAGE_CONTROL_EXTRA
	${CMAKE_CURRENT_BINARY_DIR}/debian/shlibs ${CMAKE_CURRENT_BINARY_DIR}/debian/triggers)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/shlibdeps.cmake)

set(CPACK_DEBIAN_MOUNTCORE-DEV_PACKAGE_NAME libmountcore-dev)
set(CPACK_DEBIAN_MOUNTCORE-DEV_PACKAGE_SOURCE hostvol)
set(CPACK_DEBIAN_MOUNTCORE-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_MOUNTCORE-DEV_PACKAGE_DEPENDS
	"libmountcore0 (= ${PROJECT_VERSION}), libmount-dev")
string(JOIN "\n" CPACK_DEBIAN_MOUNTCORE-DEV_DESCRIPTION
	"library that attaches directories to containers - development files"
	"Puts a clone of a directory's mount tree into the mount namespace of a process,"
	"takes it out again, and looks at what is mounted there. Symlinks are resolved"
	"inside the namespace, a mount is verified after it was made, and a failure"
	"leaves nothing behind. No container engine is needed."
	""
	"This package has the headers, the static library and the manual page.")

set(doc_dir ${CMAKE_INSTALL_DATADIR}/doc/hostvol)
configure_file(debian/changelog.in changelog @ONLY)
file_gzip(${CMAKE_CURRENT_BINARY_DIR}/changelog ${doc_dir})
install(FILES debian/copyright debian/README.Debian DESTINATION ${doc_dir})
foreach(component mountcore mountcore-dev)
	string(TOUPPER ${component} name)
	install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz debian/copyright
		DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${name}_PACKAGE_NAME}
		COMPONENT ${component})
endforeach()
install(FILES debian/hostvold.default DESTINATION /etc/default RENAME hostvold)
include(CPack)
