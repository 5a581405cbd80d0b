# cmake -D VERSION=0.1.0 -D INTO=FILE -P version.cmake: what version.h declares, written only when it has changed.
cmake_minimum_required(VERSION 3.25)
get_filename_component(sources ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
if(EXISTS ${sources}/.git)  # and not a checkout of something else around it
  execute_process(COMMAND git -C ${sources} describe --always --dirty --exclude=* --abbrev=10
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(commit)
  string(APPEND VERSION " (commit ${commit})")
endif()
file(CONFIGURE OUTPUT ${INTO} @ONLY CONTENT [[
#include "version.h"

namespace dojo::tools {

std::string_view version() { return "@VERSION@"; }

}  // namespace dojo::tools
]])
