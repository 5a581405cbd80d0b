// Note 004 lists every event as its row says it, and no other.
#include "machine/events.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "machine/ledger.h"

namespace dojo::machine {
namespace {

std::vector<Event> all_events() {
  std::vector<Event> all(cause_events.begin(), cause_events.end());
  all.insert(all.end(), counter_events.begin(), counter_events.end());
  return all;
}

TEST(Events, AreTheOnesOfTheNote) {
  const std::string note =
      read_text(std::filesystem::path(DOJO_SOURCE_DIR) / "docs/notes/004-plan-and-ledger.md");
  std::string table = "| part | event | counts | |\n|---|---|---|---|\n";
  for (const Event& event : all_events())
    table += fmt::format("| {} | `{}` | {} | {} |\n", event.part, event.key, event.unit, event.meaning);
  EXPECT_NE(note.find(table + "\n"), std::string::npos) << table;
}

TEST(Events, HaveKeysOfTheirOwn) {
  std::set<std::string_view> keys;
  for (const Event& event : all_events()) EXPECT_TRUE(keys.insert(event.key).second) << event.key;
  for (const Event& cause : cause_events) EXPECT_EQ(fmt::format("cycles.{}", name_of(cause)), cause.key);
}

TEST(Events, AreSummedOverOpsAndInterfaces) {
  Ledger ledger;
  ledger.add(1, event_of(Counter::hbm_read), 5, 0);
  ledger.add(2, event_of(Counter::hbm_read), 7, 3);
  ledger.add(2, event_of(Counter::hbm_written), 100, 3);
  ledger.add(2, event_of(Cause::idle), 9);
  EXPECT_EQ(ledger.total(event_of(Counter::hbm_read)), 12u);
  EXPECT_EQ(ledger.total("hbm.3", 2, "hbm.read_bytes"), 7u);
  EXPECT_EQ(ledger.total("nodes", "cycles.idle"), 9u);
}

}  // namespace
}  // namespace dojo::machine
