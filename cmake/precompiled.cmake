# Headers that nearly every file of ours includes are compiled once for each set of flags; without that they are half of
# all compiling. What a file may include is checked from its text (scripts/check-layers), not by the compiler.
file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")

# A library without code, whose precompiled headers others use.
function(headers_library name)
  add_library(${name} STATIC ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(${name} PRIVATE townd_flags Boost::json)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
endfunction()

# Boost's macros are part of the headers, so everybody who uses these defines them alike.
function(precompiled target headers)
  target_link_libraries(${target} PRIVATE Boost::json)
  target_precompile_headers(${target} REUSE_FROM ${headers})
endfunction()

set(inner <algorithm> <chrono> <functional> <map> <memory> <mutex> <optional> <set> <string> <variant> <vector>
          ${CMAKE_SOURCE_DIR}/src/core/tick.hpp)
set(outer ${inner} <filesystem> <fstream> <sstream> <thread> <boost/json.hpp>
          ${CMAKE_SOURCE_DIR}/src/ports/store.hpp ${CMAKE_SOURCE_DIR}/src/ports/runtime.hpp
          ${CMAKE_SOURCE_DIR}/src/ports/forge.hpp ${CMAKE_SOURCE_DIR}/src/codec/describe_ticks.hpp)
target_precompile_headers(townd_core PRIVATE ${inner})
headers_library(townd_headers ${outer})
foreach(part codec store engine)
  precompiled(townd_${part} townd_headers)
endforeach()
# The outer layers' flags are their own in a Release only.
set(outer_headers townd_headers)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(outer_headers townd_outer_headers)
  headers_library(townd_outer_headers ${outer})
  target_compile_options(townd_outer_headers PRIVATE -O1)
endif()
foreach(part operations server daemon cli runtime forge)
  if(TARGET townd_${part})
    precompiled(townd_${part} ${outer_headers})
  endif()
endforeach()

# Googletest defines its by an option.
function(with_options_of_gtest target)
  target_compile_options(${target} PRIVATE $<TARGET_PROPERTY:GTest::gtest,INTERFACE_COMPILE_OPTIONS>)
endfunction()

# The programs of the tests in a folder and those below it.
function(precompiled_tests folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type MATCHES "EXECUTABLE|STATIC_LIBRARY" AND NOT target STREQUAL townd_test_headers)
      with_options_of_gtest(${target})
      precompiled(${target} townd_test_headers)
    endif()
  endforeach()
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(one ${below})
    precompiled_tests(${one})
  endforeach()
endfunction()
