# Clean builds (the Makefile's) compile several files at once, which takes a quarter of the time; developers' own build
# folders do not. A file whose private names are also another's, that includes a heavy library, or that a test replaces
# (tests/engine plants a clock in agents.cpp), stays by itself.
function(alone target)
  if(TARGET ${target})
    list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/src/)
    set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()
alone(townd_core core/rules/agents.cpp core/rules/messages.cpp core/rules/reviews.cpp)
alone(townd_codec codec/toml.cpp codec/ticks.cpp codec/time_text.cpp)
alone(townd_runtime runtime/preset.cpp runtime/verdict.cpp)
alone(townd_observe observe/log.cpp observe/post.cpp observe/web_address.cpp)
alone(townd_http server/http_server.cpp server/beast_src.cpp)
alone(townd_daemon server/daemon.cpp server/daemon_options.cpp)
alone(townd_cli cli/arguments.cpp cli/demo_proof.cpp cli/files.cpp cli/keepers.cpp cli/plan.cpp cli/rig_options.cpp
      cli/scenario.cpp cli/settings.cpp cli/transport.cpp cli/work.cpp)

# Its files are heavy; two cores shall share them.
set_target_properties(townd_codec PROPERTIES UNITY_BUILD_BATCH_SIZE 3)

# A name that many files of a target have for a thing of their own is made different in each.
function(own_name target name)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES UNITY_BUILD_UNIQUE_ID ${name})
  endif()
endfunction()
own_name(townd_core kRules)
own_name(townd_server kHandlers)
own_name(townd_cli environment)
