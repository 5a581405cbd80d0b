// Cases as ONNX's backend tests lie, each through importer, interpreter, fuser and the emulated machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "machine/machine.h"

namespace dojo::runtime {

// A case with one of its data sets.
struct ConformanceCase {
  std::filesystem::path folder;
  std::string set;
};

enum class CaseOutcome { passed, refused, wrong };

struct CaseVerdict {
  CaseOutcome outcome = CaseOutcome::passed;
  std::string why = {};  // it was refused, is wrong, or passed without the machine
  bool on_machine = false;
  std::string op = {};  // what the case tries
};

// All data sets of all cases in and under a folder, in the order of their names. Refuses a folder without
// any.
std::vector<ConformanceCase> find_cases(const std::filesystem::path& top);

// A case passes in the first of the ways to feed it (onnx/case.h) that is not refused. Only where all its
// inputs are initialisers it does not run on the machine; `why` then says what the last of the other ways
// lacks, and of a refused case what the first does. `machine`: none, if it is not to be run there.
CaseVerdict judge_case(const ConformanceCase& place, const machine::Machine* machine);

}  // namespace dojo::runtime
