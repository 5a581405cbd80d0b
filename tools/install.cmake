# What `make install` and `make deb` put where. The program finds share/opendojo from its own place (base/resources.h).

# What the command says of itself, for `man` and the shells.
set(pages ${CMAKE_BINARY_DIR}/pages)
set(page_files ${pages}/dojo.1 ${pages}/bash ${pages}/zsh ${pages}/fish)
add_custom_command(OUTPUT ${page_files} DEPENDS dojo VERBATIM WORKING_DIRECTORY ${pages}
  COMMAND sh -ec "$0 manual > dojo.1; for shell in bash zsh fish; do $0 completion $shell > $shell; done" $<TARGET_FILE:dojo>)
file(MAKE_DIRECTORY ${pages})
add_custom_target(pages ALL DEPENDS ${page_files})
add_dependencies(pages opendojo)  # what is installed

install(TARGETS dojo)
install(TARGETS opendojo LIBRARY DESTINATION lib)
install(FILES src/api/opendojo.h DESTINATION include)
install(DIRECTORY machines device models DESTINATION share/opendojo)
install(DIRECTORY src/numerics DESTINATION share/opendojo/src FILES_MATCHING PATTERN scalar_*.h PATTERN *_for_tests.h EXCLUDE)  # which nodes share
install(FILES ${pages}/dojo.1 DESTINATION share/man/man1)
install(FILES ${pages}/bash DESTINATION share/bash-completion/completions RENAME dojo)
install(FILES ${pages}/zsh DESTINATION share/zsh/vendor-completions RENAME _dojo)
install(FILES ${pages}/fish DESTINATION share/fish/vendor_completions.d RENAME dojo.fish)
install(FILES README.md ARCHITECTURE.md CHANGELOG.md DESTINATION share/doc/opendojo)
install(FILES LICENSE DESTINATION share/doc/opendojo RENAME copyright)
install(DIRECTORY docs examples DESTINATION share/doc/opendojo)

# The Python package (pyproject.toml): the library, and share/opendojo as it sees it from there.
install(TARGETS opendojo LIBRARY DESTINATION opendojo/lib COMPONENT python EXCLUDE_FROM_ALL)
install(DIRECTORY machines device DESTINATION opendojo/share/opendojo COMPONENT python EXCLUDE_FROM_ALL)
install(DIRECTORY src/numerics DESTINATION opendojo/share/opendojo/src COMPONENT python EXCLUDE_FROM_ALL
        FILES_MATCHING PATTERN scalar_*.h PATTERN *_for_tests.h EXCLUDE)

# The Debian package. Its version grows with every commit; which libraries it depends on is asked of the program.
set(package_version ${PROJECT_VERSION})
if(EXISTS ${CMAKE_SOURCE_DIR}/.git)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env TZ=UTC git -C ${CMAKE_SOURCE_DIR} log -1 --date=format-local:%Y%m%d.%H%M%S --format=+git%cd.%h
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(APPEND package_version "${commit}")
endif()
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME opendojo)
set(CPACK_PACKAGE_VERSION ${package_version})
set(CPACK_PACKAGE_CONTACT "The OpenDojo authors <opendojo@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Dojo training computer in software")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "A network from an ONNX file is compiled for the machine and trained on it:
every node runs the compiled RISC-V program, instruction by instruction, bit
for bit, while its cycles are counted.")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
string(REGEX MATCH "^[0-9]+" libavcodec_major "${LIBAV_libavcodec_VERSION}")
set(CPACK_DEBIAN_PACKAGE_DEPENDS "clang-22, lld-22, libavcodec${libavcodec_major}, picolibc-riscv64-unknown-elf")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS llvm-22)  # dojo profile asks it for lines
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 2)
include(CPack)
