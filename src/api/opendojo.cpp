// The C ABI: arguments are checked and converted here, errors become statuses and sentences.
#include "api/opendojo.h"

#include <cmath>
#include <cstring>
#include <exception>
#include <memory>
#include <new>

#include "api/program.h"
#include "base/error.h"
#include "machine/machine_file.h"
#include "numerics/convert.h"
#include "onnx/numbers.h"

// The caller's handle.
struct opendojo_program {
  dojo::api::Program program;
};

namespace dojo::api {
namespace {

constexpr float largest_given = onnx::largest_given, largest_result = onnx::largest_whole;

// --- Errors ---

template <std::size_t size>
void put(char (&to)[size], std::string_view text) {
  constexpr std::string_view cut = "...";
  if (text.size() < size) {
    std::memcpy(to, text.data(), text.size());
    to[text.size()] = 0;
    return;
  }
  std::size_t kept = size - 1 - cut.size();
  while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xc0) == 0x80) --kept;  // whole characters
  std::memcpy(to, text.data(), kept);
  std::memcpy(to + kept, cut.data(), cut.size());
  to[kept + cut.size()] = 0;
}

void put_nothing(opendojo_error* error) {
  if (error != nullptr) error->sentence[0] = error->op[0] = error->module[0] = error->line[0] = 0;
}

opendojo_status failed(opendojo_error* error, opendojo_status status, std::string_view sentence) {
  put_nothing(error);
  if (error != nullptr) put(error->sentence, sentence);
  return status;
}

opendojo_status status_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::unsupported:
      return OPENDOJO_UNSUPPORTED;
    case Refusal::not_yet:
      return OPENDOJO_NOT_YET;
    case Refusal::unspecified:
      return OPENDOJO_UNSPECIFIED;
    default:
      return OPENDOJO_INVALID;
  }
}

// Runs `work`; whatever it throws becomes a status.
template <typename Work>
opendojo_status guarded(opendojo_error* error, Work work) {
  try {
    put_nothing(error);
    return work();
  } catch (const onnx::NodeError& refused) {
    const opendojo_status status = failed(error, status_of(refused.refusal()), refused.what());
    if (error == nullptr) return status;
    put(error->op, refused.op());
    put(error->module, refused.module());
    put(error->line, refused.line());
    return status;
  } catch (const UserError& refused) {
    return failed(error, status_of(refused.refusal()), refused.what());
  } catch (const std::bad_alloc&) {
    return failed(error, OPENDOJO_NO_MEMORY, "there is not enough memory");
  } catch (const std::exception& other) {
    return failed(error, OPENDOJO_INTERNAL, other.what());
  } catch (...) {
    return failed(error, OPENDOJO_INTERNAL, "something unknown went wrong");
  }
}

// --- Tensors ---

template <typename Element>
std::vector<float> whole_numbers(const void* data, std::size_t count, const onnx::AtenValue& value) {
  std::vector<float> values(count);
  for (std::size_t k = 0; k < count; ++k) {
    Element element;
    std::memcpy(&element, static_cast<const char*>(data) + k * sizeof element, sizeof element);
    values[k] = static_cast<float>(element);
    if (!(std::fabs(values[k]) <= largest_given))
      refuse(value.name, "holds {}; whole numbers are taken up to 2^23", +element);
  }
  return values;
}

std::vector<float> read(const opendojo_tensor& tensor, const onnx::AtenValue& value) {
  const auto count = static_cast<std::size_t>(graph::element_count(value.shape));
  switch (value.type) {
    case onnx::DataType::float32: {
      std::vector<float> values(count);
      std::memcpy(values.data(), tensor.data, count * sizeof(float));
      return values;
    }
    case onnx::DataType::bfloat16: {
      std::vector<std::uint16_t> codes(count);
      std::memcpy(codes.data(), tensor.data, count * sizeof(std::uint16_t));
      std::vector<float> values(count);
      numerics::from_bf16(codes, values);
      return values;
    }
    case onnx::DataType::boolean:
    case onnx::DataType::uint8:
      return whole_numbers<std::uint8_t>(tensor.data, count, value);
    case onnx::DataType::int8:
      return whole_numbers<std::int8_t>(tensor.data, count, value);
    case onnx::DataType::int16:
      return whole_numbers<std::int16_t>(tensor.data, count, value);
    case onnx::DataType::int32:
      return whole_numbers<std::int32_t>(tensor.data, count, value);
    default:
      return whole_numbers<std::int64_t>(tensor.data, count, value);
  }
}

template <typename Element>
void write_whole(std::span<const float> values, const onnx::AtenValue& value, void* data) {
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (!(std::fabs(values[k]) <= largest_result) || values[k] != std::trunc(values[k]))
      refuse(value.name, "became {}, which is no whole number up to 2^24", values[k]);
    const auto element = static_cast<Element>(values[k]);
    std::memcpy(static_cast<char*>(data) + k * sizeof element, &element, sizeof element);
  }
}

void write(std::span<const float> values, const onnx::AtenValue& value, void* data) {
  switch (value.type) {
    case onnx::DataType::float32:
      std::memcpy(data, values.data(), values.size_bytes());
      return;
    case onnx::DataType::bfloat16: {
      std::vector<std::uint16_t> codes(values.size());
      numerics::to_bf16(values, codes);
      std::memcpy(data, codes.data(), codes.size() * sizeof(std::uint16_t));
      return;
    }
    case onnx::DataType::boolean:
    case onnx::DataType::uint8:
      return write_whole<std::uint8_t>(values, value, data);
    case onnx::DataType::int8:
      return write_whole<std::int8_t>(values, value, data);
    case onnx::DataType::int16:
      return write_whole<std::int16_t>(values, value, data);
    case onnx::DataType::int32:
      return write_whole<std::int32_t>(values, value, data);
    default:
      return write_whole<std::int64_t>(values, value, data);
  }
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

const onnx::AtenValue& value_of(const onnx::AtenValue& value) { return value; }  // NOLINT: of lists that stay
const onnx::AtenValue& value_of(const onnx::AtenState& state) { return state.value; }
const onnx::AtenValue& value_of(const onnx::AtenOutput& output) { return output.value; }

// Refuses tensors that are not as described.
template <typename Described>
void check(const opendojo_tensor* tensors, std::size_t count, const std::vector<Described>& described,
           std::string_view what) {
  if (count != described.size()) refuse(what, "are {} where {} are wanted", count, described.size());
  if (count > 0 && tensors == nullptr) refuse(what, "are missing");
  for (std::size_t k = 0; k < count; ++k) {
    const onnx::AtenValue& value = value_of(described[k]);
    const opendojo_tensor& tensor = tensors[k];
    if (tensor.data == nullptr || tensor.rank < 0 || (tensor.rank > 0 && tensor.shape == nullptr))
      refuse(value.name, "has no data or no shape");
    const std::span<const std::int64_t> shape(tensor.shape, static_cast<std::size_t>(tensor.rank));
    if (!std::ranges::equal(shape, value.shape))
      refuse(value.name, "has the shape {} where {} is wanted", shape_text(shape), shape_text(value.shape));
    if (tensor.type != static_cast<std::int32_t>(value.type))
      refuse(value.name, "holds {} where {} is wanted",
             data_type_name(static_cast<onnx::DataType>(tensor.type)), data_type_name(value.type));
  }
}

template <typename Described>
Values read_all(const opendojo_tensor* tensors, const std::vector<Described>& described) {
  Values values;
  for (std::size_t k = 0; k < described.size(); ++k)
    values.push_back(read(tensors[k], value_of(described[k])));
  return values;
}

template <typename Described>
void write_all(const Values& values, const std::vector<Described>& described,
               const opendojo_tensor* tensors) {
  for (std::size_t k = 0; k < described.size(); ++k)
    write(values[k], value_of(described[k]), tensors[k].data);
}

opendojo_program& existing(opendojo_program* program) {
  if (program == nullptr) refuse("program", "is NULL");
  return *program;
}
const opendojo_program& existing(const opendojo_program* program) {
  return existing(const_cast<opendojo_program*>(program));
}

Options options_of(const opendojo_options* given) {
  opendojo_options wanted = {};
  if (given != nullptr) {
    if (given->size != sizeof wanted)
      refuse("options", "have {} bytes where this library knows {}", given->size, sizeof wanted);
    wanted = *given;
  }
  Options options;
  const std::string_view machine = wanted.machine == nullptr ? "d1" : wanted.machine;
  options.is_interpreted = machine == "interpreter";
  if (!options.is_interpreted) options.machine = machine::read_machine(machine);
  if (wanted.formats != nullptr) options.formats = lowering::format_choice(wanted.formats);
  options.nodes = wanted.nodes;
  options.threads = wanted.threads;
  return options;
}

const onnx::AtenValue& described_value(const onnx::AtenProgram& described, opendojo_kind kind,
                                       std::size_t index) {
  if (kind == OPENDOJO_INPUT && index < described.inputs.size()) return described.inputs[index];
  if (kind == OPENDOJO_OUTPUT && index < described.outputs.size()) return described.outputs[index].value;
  if (kind == OPENDOJO_STATE && index < described.states.size()) return described.states[index].value;
  refuse("index", "there is no {} of kind {}", index, static_cast<int>(kind));
}

}  // namespace
}  // namespace dojo::api

using namespace dojo;
using namespace dojo::api;

uint32_t opendojo_abi(void) { return OPENDOJO_ABI; }

const char* opendojo_operators(void) {
  static const std::string names = [] {
    std::string lines;
    for (const std::string_view name : onnx::aten_operators()) lines.append(name).append("\n");
    return lines;
  }();
  return names.c_str();
}

opendojo_status opendojo_compile(const void* model, size_t bytes, const opendojo_options* options,
                                 opendojo_program** program, opendojo_error* error) {
  return guarded(error, [&] {
    if (model == nullptr || program == nullptr) refuse("opendojo_compile", "model or program is NULL");
    *program = nullptr;
    const std::string_view container(static_cast<const char*>(model), bytes);
    *program = new opendojo_program{Program(container, options_of(options))};
    return OPENDOJO_OK;
  });
}

void opendojo_release(opendojo_program* program) { delete program; }

size_t opendojo_count(const opendojo_program* program, opendojo_kind kind) {
  if (program == nullptr) return 0;
  const onnx::AtenProgram& described = program->program.described();
  return kind == OPENDOJO_INPUT    ? described.inputs.size()
         : kind == OPENDOJO_OUTPUT ? described.outputs.size()
         : kind == OPENDOJO_STATE  ? described.states.size()
                                   : 0;
}

opendojo_status opendojo_describe(const opendojo_program* program, opendojo_kind kind, size_t index,
                                  opendojo_description* description, opendojo_error* error) {
  return guarded(error, [&] {
    const onnx::AtenProgram& described = existing(program).program.described();
    if (description == nullptr) refuse("description", "is NULL");
    const onnx::AtenValue& value = described_value(described, kind, index);
    const bool replaced = kind == OPENDOJO_STATE && described.states[index].replaced;
    const Program& of = program->program;
    const auto place = kind == OPENDOJO_INPUT    ? of.samples_of(described.inputs[index])
                       : kind == OPENDOJO_OUTPUT ? of.samples_of(described.outputs[index])
                                                 : std::nullopt;
    const auto [dimension, outer, inner, wide] = place.value_or(graph::SamplePlace{});
    *description = {value.name.c_str(),
                    value.shape.data(),
                    static_cast<int32_t>(value.shape.size()),
                    static_cast<int32_t>(value.type),
                    replaced,
                    place ? static_cast<int32_t>(dimension) : -1,
                    outer,
                    inner};
    return OPENDOJO_OK;
  });
}

opendojo_status opendojo_run(opendojo_program* program, const opendojo_tensor* inputs, size_t input_count,
                             const opendojo_tensor* outputs, size_t output_count, opendojo_error* error) {
  return guarded(error, [&] {
    Program& run = existing(program).program;
    check(inputs, input_count, run.described().inputs, "inputs");
    check(outputs, output_count, run.described().outputs, "outputs");
    const auto result = run.run(read_all(inputs, run.described().inputs));
    if (const auto* unfinished = std::get_if<Unfinished>(&result))
      return unfinished->interrupted ? failed(error, OPENDOJO_INTERRUPTED, "the run was interrupted")
                                     : failed(error, OPENDOJO_STRANDED, unfinished->why);
    write_all(std::get<Values>(result), run.described().outputs, outputs);
    return OPENDOJO_OK;
  });
}

opendojo_status opendojo_write_states(opendojo_program* program, const opendojo_tensor* states, size_t count,
                                      opendojo_error* error) {
  return guarded(error, [&] {
    Program& into = existing(program).program;
    check(states, count, into.described().states, "states");
    into.write_states(read_all(states, into.described().states));
    return OPENDOJO_OK;
  });
}

opendojo_status opendojo_read_states(opendojo_program* program, const opendojo_tensor* states, size_t count,
                                     opendojo_error* error) {
  return guarded(error, [&] {
    Program& from = existing(program).program;
    check(states, count, from.described().states, "states");
    write_all(from.read_states(), from.described().states, states);
    return OPENDOJO_OK;
  });
}

void opendojo_interrupt(opendojo_program* program) {
  if (program != nullptr) program->program.interrupt();
}

opendojo_status opendojo_report(const opendojo_program* program, opendojo_costs* costs,
                                opendojo_error* error) {
  return guarded(error, [&] {
    const Program& of = existing(program).program;
    if (costs == nullptr) refuse("costs", "is NULL");
    const Costs& so_far = of.costs();
    *costs = {so_far.nodes,           so_far.samples,      so_far.runs,
              so_far.cycles,          so_far.total_cycles, of.machine().node.clock_ghz,
              of.not_spread().c_str()};
    return OPENDOJO_OK;
  });
}

opendojo_status opendojo_explain(const opendojo_program* program, const char** json, opendojo_error* error) {
  return guarded(error, [&] {
    const Program& of = existing(program).program;
    if (json == nullptr) refuse("json", "is NULL");
    *json = of.explanation().c_str();
    return OPENDOJO_OK;
  });
}
