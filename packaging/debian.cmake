# The Debian package: cmake --preset package, build it, cpack.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hostvol)
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
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "docker.io | docker-ce | podman")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
	"volume driver for Docker that attaches volumes to running containers")
string(JOIN "\n" CPACK_DEBIAN_PACKAGE_DESCRIPTION
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
	list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_BINARY_DIR}/debian/${script})
endforeach()
foreach(script conffiles prerm)
	list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_SOURCE_DIR}/debian/${script})
endforeach()

set(doc_dir ${CMAKE_INSTALL_DATADIR}/doc/hostvol)
configure_file(debian/changelog.in changelog @ONLY)
file_gzip(${CMAKE_CURRENT_BINARY_DIR}/changelog ${doc_dir})
install(FILES debian/copyright debian/README.Debian DESTINATION ${doc_dir})
install(FILES debian/hostvold.default DESTINATION /etc/default RENAME hostvold)
include(CPack)
