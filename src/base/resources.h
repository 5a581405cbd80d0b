// The files that the program reads and nobody names: machines/, device/, and headers of src/ that nodes
// share. An installed program, or shared library, has them in ../share/opendojo, seen from its own folder, so
// that both are moved and copied together; one that runs where it was built has them among the sources.
#pragma once

#include <filesystem>
#include <string_view>

namespace dojo {

// Where "machines" or "device/program.ld" lies. Throws UserError naming the installed place if there is
// neither that nor the sources' folder.
std::filesystem::path resource(std::string_view inside);

// The same for a program that lies at `program` and was built from `sources`.
std::filesystem::path resource_of(const std::filesystem::path& program, const std::filesystem::path& sources,
                                  std::string_view inside);

}  // namespace dojo
