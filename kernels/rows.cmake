# SPDX-License-Identifier: MIT
# Reads kernels/rows.def and writes the sources of the rows into the build tree.
#
#   mcusim_row_sources(VARIABLE DIRECTORY ROW)     one file per row (target: one
#                                                  object each, <symbol>.cc)
#   mcusim_row_sources(VARIABLE DIRECTORY FAMILY)  one file per family (host)
#
# Files are rewritten only when they change. Each includes its family's header
# kernels/ops/<family>.h and nothing else of ours but kernels/row.h.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/kernels/rows.def)

function(mcusim_row_sources variable directory grouping)
  file(STRINGS ${CMAKE_SOURCE_DIR}/kernels/rows.def lines REGEX "^MCUSIM_ROW\\(")
  set(files)
  foreach(line IN LISTS lines)
    if(NOT line MATCHES
       "^MCUSIM_ROW\\(([a-z_]+), ([0-9]), ([0-9]), ([0-9]), ([a-z]+)\\)$")
      message(FATAL_ERROR "kernels/rows.def: not a row: ${line}")
    endif()
    set(family ${CMAKE_MATCH_1})
    set(symbol mcusim_${family}_a${CMAKE_MATCH_2}w${CMAKE_MATCH_3}y${CMAKE_MATCH_4}_${CMAKE_MATCH_5})
    string(REPLACE "MCUSIM_ROW(" "MCUSIM_DEFINE_ROW(" definition "${line}")
    if(grouping STREQUAL "ROW")
      set(file ${directory}/${symbol}.cc)
    else()
      set(file ${directory}/rows_${family}.cc)
    endif()
    if(NOT file IN_LIST files)
      list(APPEND files ${file})
      string(MD5 key ${file})
      set(text_${key} "// SPDX-License-Identifier: MIT\n// Generated from kernels/rows.def.\n#include \"kernels/ops/${family}.h\"\n#include \"kernels/row.h\"\n\n")
    endif()
    string(MD5 key ${file})
    string(APPEND text_${key} "${definition}\n")
  endforeach()
  foreach(file IN LISTS files)
    string(MD5 key ${file})
    file(CONFIGURE OUTPUT ${file} CONTENT "${text_${key}}" @ONLY)
  endforeach()
  set(${variable} ${files} PARENT_SCOPE)
endfunction()
