# cmake -DOUT=FILE.c -DFOLDER=DIR -P scenarios.cmake
#
# DIR/*.fault as a C table, so that --scenario finds them wherever the program
# is run: in a container, in a test machine, before it was installed.
file(GLOB scenarios ${FOLDER}/*.fault)
list(SORT scenarios)
set(rows "")
foreach(path IN LISTS scenarios)
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n\t \"" text "${text}")
  string(APPEND rows "\t{\"${name}\",\n\t \"${text}\"},\n")
endforeach()
file(WRITE ${OUT} "/* made by cmake/scenarios.cmake */
#include \"config/fault_config.h\"

const struct fault_scenario fault_scenarios[] = {
${rows}\t{NULL, NULL},
};
")
