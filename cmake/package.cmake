# `cpack -G DEB` in the build folder: a package for this release of Debian.
# What the binary needs is in package-depends.cmake; strip needs a build with
# debug information to be worth anything, and gets one (RelWithDebInfo).
set(CPACK_PACKAGE_NAME kvmbus)
set(CPACK_PACKAGE_VENDOR "The kvmbus authors")
set(CPACK_PACKAGE_CONTACT "The kvmbus authors <kvmbus@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "run Linux guests on Hyper-V, played by KVM")
set(CPACK_PACKAGE_DESCRIPTION
"A virtual machine monitor for Linux/KVM that plays the Hyper-V host, so that
unmodified Linux guests boot as on Windows Server, and says what they used.")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION misc)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/package-depends.cmake)
# Images that are not raw are served by qemu-nbd.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS qemu-utils)
include(CPack)
