# The warnings that every file of ours is built with, by gcc 12 and clang 14.
add_compile_options(
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-align
  -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wconversion -Wno-sign-conversion
  -Wimplicit-fallthrough -fno-strict-aliasing -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches
                      -Wnull-dereference)
else()
  # KVM's structs end in an array, for the caller to put something behind.
  add_compile_options(-Wthread-safety -Wno-gnu-variable-sized-type-not-at-end)
endif()
if(KVMBUS_WERROR)
  add_compile_options(-Werror)
endif()
