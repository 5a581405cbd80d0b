// Does a program find its files where it was moved to, and say where it looks if they are gone?
#include "base/resources.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;

TEST(Resources, LieBesideAnInstalledProgramEvenWhereTheSourcesAreThere) {
  const TemporaryFolder folder("resources");
  fs::create_directories(folder.path() / "share/opendojo");
  fs::create_directories(folder.path() / "sources/device");
  EXPECT_EQ(resource_of(folder.path() / "bin/dojo", folder.path() / "sources", "machines"),
            folder.path() / "share/opendojo/machines");
}

TEST(Resources, LieAmongTheSourcesOfAProgramThatIsNotInstalled) {
  const TemporaryFolder folder("resources");
  fs::create_directories(folder.path() / "sources/device");
  EXPECT_EQ(resource_of(folder.path() / "sources/build/dojo", folder.path() / "sources", "device/program.ld"),
            folder.path() / "sources/device/program.ld");
}

TEST(Resources, AreRefusedByTheirPlaceWhereTheyAreNot) {
  const TemporaryFolder folder("resources");
  try {
    resource_of(folder.path() / "bin/dojo", folder.path() / "sources", "machines");
    FAIL() << "found in an empty folder";
  } catch (const UserError& error) {
    EXPECT_EQ(error.what(),
              (folder.path() / "share/opendojo").string() +
                  ": no such folder; it holds machines and the nodes' library and goes where bin goes");
  }
}

TEST(Resources, OfThisTestAreTheSources) {
  EXPECT_EQ(resource("device"), fs::path(DOJO_SOURCE_DIR) / "device");
}

}  // namespace
}  // namespace dojo
