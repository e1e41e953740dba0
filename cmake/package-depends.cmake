# What the package needs, asked of dpkg-shlibdeps by cpack once all files are
# in place.  The program's libraries are Depends.  Those of libvirt.so, which is
# loaded when somebody says --connect, are Suggests: CPack's own way would make
# everybody install libvirt.
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(work ${CPACK_TOPLEVEL_DIRECTORY}/shlibdeps)
file(MAKE_DIRECTORY ${work}/debian)
file(WRITE ${work}/debian/control "Source: kvmbus\n\nPackage: kvmbus\nArchitecture: any\n")
file(GLOB_RECURSE modules ${root}/usr/*.so)
set(suggested)
foreach(module ${modules})
  list(APPEND suggested -dSuggests ${module})
endforeach()
execute_process(
  COMMAND dpkg-shlibdeps --warnings=0 -O -dDepends ${root}/usr/bin/kvmbus
          ${suggested}
  WORKING_DIRECTORY ${work} OUTPUT_VARIABLE told
  COMMAND_ERROR_IS_FATAL ANY)
foreach(field Depends Suggests)
  string(TOUPPER ${field} upper)
  if(told MATCHES "shlibs:${field}=([^\n]*)")
    set(CPACK_DEBIAN_PACKAGE_${upper} "${CMAKE_MATCH_1}")
  endif()
endforeach()
