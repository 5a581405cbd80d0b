// Does run.json have the fields that note 010 lists, and no others?
#include "report/run_report.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/file.h"
#include "support/json.h"
#include "support/pattern.h"

namespace dojo::report {
namespace {

using Names = std::set<std::string>;

Json written() {
  training::RunReport report;
  training::OutputQuality angle{.output = "angle", .label = "angle"};
  angle.accuracy = 0.5;
  report.validation = {angle};
  const machine::Machine machine = machine::read_machine("test6");
  return Json::parse(run_json({}, machine, report, "a tub", "0.1"));
}

void add_names(const Json& object, Names& names) {
  for (const auto& [key, value] : object.items()) names.insert(key);
}

Names quoted(const std::string& text) {
  Names names;
  for (const Match& quote : all_matches(text, "`([^`]+)`")) names.insert(quote[1]);
  return names;
}

// A row of the note's table: the fields of its first column, the names in the second.
struct NoteRow {
  Names fields, described;
};

std::vector<NoteRow> note_rows() {
  const std::string note =
      read_text(std::filesystem::path(DOJO_SOURCE_DIR) / "docs/notes/010-training-run.md");
  const std::string table = note.substr(note.find("\n## run.json"));
  std::vector<NoteRow> rows;
  for (const Match& row : all_matches(table, "\n\\| (`[^|]+) \\| ([^|]+) \\|"))
    rows.push_back({quoted(row[1]), quoted(row[2])});
  return rows;
}

TEST(RunJson, HasTheFieldsOfTheNote) {
  Names fields, wanted;
  add_names(written(), fields);
  for (const NoteRow& row : note_rows()) wanted.insert(row.fields.begin(), row.fields.end());
  EXPECT_EQ(fields, wanted);
}

TEST(RunJson, HasTheNamesThatTheNoteListsInEachOfThem) {
  const Json json = written();
  std::size_t compared = 0;
  for (const NoteRow& row : note_rows())
    for (const char* field : {"validation", "cycles_by_cause", "bytes", "host"}) {
      if (!row.fields.contains(field)) continue;
      Names names;
      add_names(json.at(field), names);
      EXPECT_EQ(names, row.described) << field;
      ++compared;
    }
  EXPECT_EQ(compared, 4u);
}

}  // namespace
}  // namespace dojo::report
