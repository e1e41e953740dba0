# hv_layer(NAME SOURCES a.c … DEPENDS kvmbus-base …)
#
# A folder of the tree as a static library; with no sources yet it is only a
# name that carries its dependencies.  Includes are written from the top
# ("synic/stimer.h", "proto/hv_tlfs.h") or from src/ ("base/log.h").
function(hv_layer name)
  cmake_parse_arguments(L "" "" "SOURCES;DEPENDS" ${ARGN})
  if(L_SOURCES)
    add_library(${name} STATIC ${L_SOURCES})
    set(kind PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(kind INTERFACE)
  endif()
  target_include_directories(${name} ${kind}
    ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${name} ${kind} ${L_DEPENDS} PkgConfig::GLIB Threads::Threads)
endfunction()
