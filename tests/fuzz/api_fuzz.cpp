// Arbitrary bytes as a caller of the C ABI gives them: a container of ATen's operators, compiled for the
// interpreter, described, run and read, with tensors as they are described or almost so.
//
// The first bytes choose what is done with it: how the tensors differ from what is wanted, and the calls.
// Good seeds are containers that the Python package has made (tests/random/run.py keeps those of its
// networks), each behind four bytes of zeros.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "api/opendojo.h"

namespace {

constexpr std::size_t header_bytes = 4;
constexpr std::int64_t most_elements = 20'000;  // of a tensor that is given or taken

// A tensor of its own memory, as large as its description says.
struct Held {
  std::vector<std::uint64_t> memory;
  std::vector<std::int64_t> shape;
  opendojo_tensor tensor = {};
};

// Whether the memory is to be had.
bool hold(const opendojo_program* program, opendojo_kind kind, std::size_t index, std::uint8_t oddity,
          Held& held) {
  opendojo_description described;
  if (opendojo_describe(program, kind, index, &described, nullptr) != OPENDOJO_OK) std::abort();
  held.shape.assign(described.shape, described.shape + described.rank);
  std::int64_t elements = 1;
  for (const std::int64_t extent : held.shape) elements *= extent;
  if (elements > most_elements) return false;
  held.memory.assign(static_cast<std::size_t>(elements) + 1, 0);
  if (oddity == 1) held.memory.front() = 0x7fc0'0000'7f80'0000;  // no number, infinity
  if (oddity == 2) held.memory.front() = 0x0101'0101'0101'0101;
  held.tensor = {held.memory.data(), held.shape.data(), described.rank, described.type};
  if (oddity == 3) held.tensor.data = nullptr;
  if (oddity == 4) held.tensor.type += 1;
  if (oddity == 5 && !held.shape.empty()) held.shape.front() += 1;
  if (oddity == 6) held.tensor.rank = -1;
  return true;
}

struct All {
  std::vector<Held> held;
  std::vector<opendojo_tensor> tensors;

  bool take(const opendojo_program* program, opendojo_kind kind, std::uint8_t oddity) {
    held.resize(opendojo_count(program, kind));
    for (std::size_t k = 0; k < held.size(); ++k)
      if (!hold(program, kind, k, k == 0 ? oddity : 0, held[k])) return false;
    for (Held& one : held) tensors.push_back(one.tensor);
    return true;
  }
};

// A status other than OK says why; one that is OK says nothing.
void check(opendojo_status status, const opendojo_error& error) {
  const std::size_t length = strnlen(error.sentence, sizeof error.sentence);
  if (length == sizeof error.sentence || (status == OPENDOJO_OK) != (length == 0)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < header_bytes) return 0;
  const opendojo_options options = {sizeof(opendojo_options), "interpreter", nullptr, 0, 1};
  opendojo_program* program = nullptr;
  opendojo_error error;
  const opendojo_status compiled =
      opendojo_compile(data + header_bytes, size - header_bytes, &options, &program, &error);
  check(compiled, error);
  if ((compiled == OPENDOJO_OK) != (program != nullptr)) std::abort();
  if (program == nullptr) return 0;
  All inputs, outputs, states;
  if (inputs.take(program, OPENDOJO_INPUT, data[0] & 7) &&
      outputs.take(program, OPENDOJO_OUTPUT, data[1] & 7) &&
      states.take(program, OPENDOJO_STATE, data[2] & 7)) {
    if ((data[3] & 1) == 0)
      check(opendojo_write_states(program, states.tensors.data(), states.tensors.size(), &error), error);
    for (int run = 0; run < 2; ++run)
      check(opendojo_run(program, inputs.tensors.data(), inputs.tensors.size() - (data[3] & 2 ? 1 : 0),
                         outputs.tensors.data(), outputs.tensors.size(), &error),
            error);
    check(opendojo_read_states(program, states.tensors.data(), states.tensors.size(), &error), error);
    const char* json = nullptr;
    check(opendojo_explain(program, &json, &error), error);
  }
  opendojo_release(program);
  return 0;
}
