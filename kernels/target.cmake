# SPDX-License-Identifier: MIT
# The target side, built once with the cross compiler: an archive with one object
# per kernel row, an archive with the parts every image has, one object per
# start-up family. Flags are fixed: instruction counts must not depend on the host
# build type. Archives are deterministic and free of machine paths.
find_program(ARM_GXX arm-none-eabi-g++ REQUIRED)
find_program(ARM_AR arm-none-eabi-ar REQUIRED)

set(FIRMWARE_DIR ${MCUSIM_SHARE}/firmware)
set(target_objects ${CMAKE_BINARY_DIR}/target)
file(MAKE_DIRECTORY ${FIRMWARE_DIR} ${target_objects})

set(target_arch -mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard -mthumb)
set(target_flags ${target_arch} -std=c++20 -O2 -g1 -fomit-frame-pointer -ffreestanding
  -fno-exceptions -fno-rtti -ffunction-sections -fdata-sections -fno-threadsafe-statics
  -fno-asynchronous-unwind-tables -Wall -Wextra -Wshadow -Wno-missing-field-initializers
  -I${CMAKE_SOURCE_DIR} -I${CMAKE_BINARY_DIR}/generated
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)

# target_object(OUT output SOURCE file FLAGS ...): one object, recompiled when any
# header it includes changes.
function(target_object)
  cmake_parse_arguments(ARG "" "OUT;SOURCE" "FLAGS" ${ARGN})
  get_filename_component(name ${ARG_OUT} NAME)
  set(depfile ${target_objects}/${name}.d)
  add_custom_command(OUTPUT ${ARG_OUT}
    COMMAND ${CCACHE_COMMAND} ${ARM_GXX} ${target_flags} ${ARG_FLAGS} -MD -MT ${ARG_OUT}
            -MF ${depfile} -c ${ARG_SOURCE} -o ${ARG_OUT}
    DEPENDS ${ARG_SOURCE} DEPFILE ${depfile}
    COMMENT "Target ${name}" VERBATIM)
endfunction()

# target_archive(OUT archive OBJECTS ...): rebuilt from nothing, members in the given order.
function(target_archive)
  cmake_parse_arguments(ARG "" "OUT" "OBJECTS" ${ARGN})
  list(JOIN ARG_OBJECTS "\n" members)
  get_filename_component(name ${ARG_OUT} NAME)
  set(response ${target_objects}/${name}.rsp)
  file(GENERATE OUTPUT ${response} CONTENT "${members}\n")
  add_custom_command(OUTPUT ${ARG_OUT}
    COMMAND ${CMAKE_COMMAND} -E rm -f ${ARG_OUT}
    COMMAND ${ARM_AR} rcsD ${ARG_OUT} @${response}
    DEPENDS ${ARG_OBJECTS} ${response}
    COMMENT "Target ${name}" VERBATIM)
endfunction()

# A ccache base directory would turn the source names of the line tables into paths
# relative to this build folder.
set(CCACHE_COMMAND ${CMAKE_COMMAND} -E env)
if(CCACHE)
  list(APPEND CCACHE_COMMAND CCACHE_BASEDIR= ${CCACHE})
endif()

# Rows of the kernel table: one source, one object, one archive member each.
mcusim_row_sources(row_sources ${target_objects}/rows ROW)
set(row_objects)
foreach(source ${row_sources})
  get_filename_component(name ${source} NAME_WE)
  # Else the compiler turns the copying of a few bytes into a call of memcpy; and
  # with regional allocation, or scheduling before it, it finds no registers for the
  # asm statements of the cores, which take all fourteen.
  target_object(OUT ${target_objects}/rows/${name}.o SOURCE ${source}
    FLAGS -fno-tree-loop-distribute-patterns -fira-region=one -fno-schedule-insns)
  list(APPEND row_objects ${target_objects}/rows/${name}.o)
endforeach()
target_archive(OUT ${FIRMWARE_DIR}/libmcusim_kernels.a OBJECTS ${row_objects})

# Parts of every image: the freestanding sources of kernels/ and the target's own.
set(common_objects)
set(startup_objects)
file(GLOB common_sources CONFIGURE_DEPENDS *.cc target/*.cc)
foreach(source ${common_sources})
  get_filename_component(name ${source} NAME_WE)
  if(name MATCHES "^board_(.*)$")
    set(object ${FIRMWARE_DIR}/startup_${CMAKE_MATCH_1}.o)
    list(APPEND startup_objects ${object})
  else()
    set(object ${target_objects}/${name}.o)
    list(APPEND common_objects ${object})
  endif()
  set(flags)
  if(name MATCHES "^(board_|startup)")
    # Runs before the FPU is on.
    set(flags -mgeneral-regs-only)
  elseif(name STREQUAL "memory")
    # Else the compiler turns memcpy's loop into a call of memcpy.
    set(flags -fno-tree-loop-distribute-patterns)
  endif()
  target_object(OUT ${object} SOURCE ${source} FLAGS ${flags})
endforeach()
target_archive(OUT ${FIRMWARE_DIR}/libmcusim_firmware.a OBJECTS ${common_objects})

add_custom_target(mcusim_firmware ALL DEPENDS ${FIRMWARE_DIR}/libmcusim_kernels.a
  ${FIRMWARE_DIR}/libmcusim_firmware.a ${startup_objects})
install(DIRECTORY ${FIRMWARE_DIR} DESTINATION share/mcusim FILES_MATCHING PATTERN *.a PATTERN *.o)
