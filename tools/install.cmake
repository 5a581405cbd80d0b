# What `make install` and `make deb` put where. The program finds share/opendojo from its own place (base/resources.h).
install(TARGETS dojo)
install(DIRECTORY machines device models DESTINATION share/opendojo)
install(FILES src/numerics/scalar_math.h DESTINATION share/opendojo/src/numerics)  # which nodes share
install(FILES README.md ARCHITECTURE.md DESTINATION share/doc/opendojo)
install(FILES LICENSE DESTINATION share/doc/opendojo RENAME copyright)
install(DIRECTORY docs examples DESTINATION share/doc/opendojo)
