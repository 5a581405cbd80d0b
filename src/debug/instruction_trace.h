// Writes down what every instruction of a launch did: one line each, to be read and compared.
//
//   core   5: 0 0x0000000000001004 (0x00128293) x5  0x0000000000000006 ; node 1 thread 1 <main+0x4> addi t0,
//   t0, 1
//
// Up to the semicolon a line is built like those of Spike's --log-commits: the hart (mhartid), the privilege
// (0: user), pc, encoding, the registers written with their values, `mem` ADDRESS for what was read and `mem`
// ADDRESS VALUE for what was written. Deviations: neighbouring elements of a vector access are one `mem`;
// rows of tiles appear as mt4.2 (tile mt4, row 2) if they changed; control and status registers appear if
// they changed, vl and vtype at every vset. Behind the semicolon stand node, thread, symbol and the
// instruction as llvm-mc writes it. A trap gives an `exception` line. Threads take turns of a thousand
// instructions, by node and thread, so the file depends on the program alone.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "system/debuggee.h"

namespace dojo::debug {

class InstructionTrace {
public:
  // Throws UserError if the file cannot be made.
  explicit InstructionTrace(const std::filesystem::path& path);

  // Steps the launch until no thread can go on. Throws UserError if the file cannot be written any more.
  void run(system::Debuggee& debuggee);
  // Throws UserError if what was written does not reach the file.
  void finish();

private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  bool turn(system::Debuggee& debuggee, std::size_t thread);
  void write(const std::string& line);
  [[noreturn]] void cannot_write() const;

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace dojo::debug
