// What both kinds of node programs have: their beginning, constants, and fields that the host lays out. And
// the program whose tensors have their homes in HBM.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codegen/emit.h"
#include "codegen/loop_nest.h"

namespace dojo::codegen {

// For so many steps, of which each is a function.
std::string program_prologue(std::size_t steps);

// Nothing if no step reads it.
void declare_constant(CodeText& code, const PlannedProgram& planned, lowering::BufferId id);

// What the host and the program exchange is laid out before: a field that is not there would never be moved.
const lowering::HbmField& field_named(const std::vector<lowering::HbmField>& fields, std::string_view name);

// emit_records.cpp: what says where a buffer in HBM is, and how this node's samples come there.
std::string home_name(lowering::BufferId id);
void emit_records(CodeText& code, const PlannedProgram& planned, const lowering::HbmLayout& hbm,
                  const lowering::FetchStep& step);

// emit_boxes.cpp: of a program made of tiles.
std::string emit_boxes(const PlannedProgram& planned, const lowering::HbmLayout& hbm);

}  // namespace dojo::codegen
