# `cmake --install build/release --prefix /usr`: weir, its manual, completion for shells, units of
# systemd, and a first configuration where there is none.
include(GNUInstallDirs)

install(TARGETS weir RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Text that weir makes itself from its tables: weir_made(FOLDER FILE ARGUMENT...)
function(weir_made folder file)
  string(JOIN " " arguments ${ARGN})
  install(CODE "
    set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}\")
    file(MAKE_DIRECTORY \"\${folder}\")
    execute_process(COMMAND \"${CMAKE_BINARY_DIR}/weir\" ${arguments}
      OUTPUT_FILE \"\${folder}/${file}\" COMMAND_ERROR_IS_FATAL ANY)
    message(STATUS \"Installing: \${folder}/${file}\")")
endfunction()
weir_made(${CMAKE_INSTALL_MANDIR}/man8 weir.8 man weir)
weir_made(${CMAKE_INSTALL_MANDIR}/man5 weir.conf.5 man weir.conf)
weir_made(${CMAKE_INSTALL_DATADIR}/bash-completion/completions weir completion bash)
weir_made(${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions _weir completion zsh)
weir_made(${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d weir.fish completion fish)

# The units name the program where the prefix /usr puts it.
install(CODE "
  if(CMAKE_INSTALL_PREFIX STREQUAL /usr)
    file(INSTALL \"${CMAKE_SOURCE_DIR}/deploy/weir.service\" \"${CMAKE_SOURCE_DIR}/deploy/weir.socket\"
      DESTINATION /usr/lib/systemd/system)
    if(NOT EXISTS \"\$ENV{DESTDIR}/etc/weir/weir.conf\")
      file(INSTALL \"${CMAKE_SOURCE_DIR}/config/weir.conf\" DESTINATION /etc/weir)
    endif()
  endif()")
