// Inputs from their records to their homes.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "codegen/emit_parts.h"
#include "codegen/kernel.h"

namespace dojo::codegen {
namespace {

using lowering::FetchStep;

class RecordEmitter {
public:
  RecordEmitter(CodeText& code, const PlannedProgram& planned, const lowering::HbmLayout& hbm)
      : code_(code), planned_(planned), program_(*planned.lowered), hbm_(hbm) {}

  void fetch(const FetchStep& step) {
    code_.line(
        fmt::format("const unsigned near = node % {};  // the interface processor that serves this node",
                    hbm_.interfaces));
    code_.line(fmt::format("alignas(64) static uint64_t launch[{}], records[{}];",
                           (hbm_.launch_bytes + 7) / 8, hbm_.samples_per_node));
    code_.line(
        fmt::format("dojo::get(launch, dojo::hbm(near, {}), {});", hbm_.launch_block, hbm_.launch_bytes));
    code_.line(fmt::format("dojo::get(records, dojo::hbm_share<unsigned>(node, {}, {}, {}), {});",
                           hbm_.interfaces, hbm_.sample_table, 8 * hbm_.samples_per_node,
                           8 * hbm_.samples_per_node));
    code_.line("dojo::quiet();");
    code_.line("valid_samples = static_cast<long>(launch[1]);");
    if (!step.fields.empty()) {
      code_.line(fmt::format("const long first = static_cast<long>(node) * {};", hbm_.samples_per_node));
      code_.open(fmt::format("for (long n = 0; n < samples_from(first, {}); ++n)", hbm_.samples_per_node));
      for (const FetchStep::Field& field : step.fields) copy_field(step, field);
      code_.close();
    }
    for (const lowering::BufferId id : step.scalars) {
      const auto found = std::find(hbm_.scalars.begin(), hbm_.scalars.end(), program_.at(id).name);
      DOJO_ENSURE(found != hbm_.scalars.end());
      if (is_used(id))
        code_.line(fmt::format("*{} = reinterpret_cast<const float*>(launch + 3)[{}];", name(id),
                               found - hbm_.scalars.begin()));
    }
    code_.line("dojo::barrier_all();");
  }

private:
  std::string name(lowering::BufferId id) const { return buffer_name(program_, id); }
  bool is_used(lowering::BufferId id) const { return planned_.memory.lifetime[at(id)].first >= 0; }

  void copy_field(const FetchStep& step, const FetchStep::Field& field) {
    const lowering::HbmField& record = field_named(hbm_.record, field.name);
    DOJO_ENSURE(record.format == program_.at(field.buffer).format);
    if (!is_used(field.buffer)) return;
    const auto room = static_cast<std::uint64_t>(program_.at(step.staging).bytes());
    code_.open(fmt::format("for (uint64_t done = 0; done < {}; done += {})", record.bytes, room));
    code_.line(fmt::format("const uint64_t left = {} - done, bytes = left < {} ? left : {};", record.bytes,
                           room, room));
    code_.line(
        fmt::format("dojo::get({}, records[n] + {} + done, bytes);", name(step.staging), record.offset));
    code_.line("dojo::quiet();");
    code_.line(fmt::format("dojo::put_array({}, (first + n) * {} + done, {}, bytes);",
                           home_name(field.buffer), record.bytes, name(step.staging)));
    code_.close();
  }

  CodeText& code_;
  const PlannedProgram& planned_;
  const lowering::LoweredProgram& program_;
  const lowering::HbmLayout& hbm_;
};

}  // namespace

std::string home_name(lowering::BufferId id) { return fmt::format("home_{}", id); }

void emit_records(CodeText& code, const PlannedProgram& planned, const lowering::HbmLayout& hbm,
                  const FetchStep& step) {
  RecordEmitter(code, planned, hbm).fetch(step);
}

}  // namespace dojo::codegen
