// The programs of others that make programs for the nodes: where they are, how they are run, what they say.
//
// They see PATH, HOME, TMPDIR and TERM as the user has them, LC_ALL=C, and nothing else of the environment:
// by variables such as CPATH, CCC_OVERRIDE_OPTIONS and SOURCE_DATE_EPOCH the same sources would be other
// programs.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::toolchain {

// The path of an installed program. Throws UserError naming the package it is missing from.
std::filesystem::path find_tool(std::string_view name, std::string_view package);

// Runs a command in `folder` with its output in the file `log`; true if it succeeds.
bool run_tool(const std::vector<std::string>& command, const std::filesystem::path& folder,
              const std::filesystem::path& log);

// The same for a tool that answers what the file `input` asks: its output in the file `output`, its errors
// nowhere.
bool ask_tool(const std::vector<std::string>& command, const std::filesystem::path& folder,
              const std::filesystem::path& input, const std::filesystem::path& output);

// Runs a command where we are and with our own streams; `temporary` is its TMPDIR, for what it leaves behind
// when it fails. Its exit code; 128 and more for a signal. Throws UserError if it cannot be started.
int run_tool_in_view(const std::vector<std::string>& command, const std::filesystem::path& temporary);

// The first error line of a tool's output, without the temporary names.
std::string first_error(const std::filesystem::path& log);

}  // namespace dojo::toolchain
