// Waits for gdb on a TCP port of this computer and lets it debug a launch.
//
// Only this computer itself is listened to (127.0.0.1): whoever connects may read and write the guest, and
// there is no password. One gdb at a time, one launch at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "system/debuggee.h"

namespace dojo::debug {

class GdbServer {
public:
  // `port` 0: any free one. Throws UserError if the port cannot be had.
  explicit GdbServer(std::uint16_t port);
  ~GdbServer();
  GdbServer(const GdbServer&) = delete;
  GdbServer& operator=(const GdbServer&) = delete;

  std::uint16_t port() const;

  // Once: waits until gdb connects and serves it, and no other, until the program has ended, gdb detaches
  // (the launch then runs on by itself), or gdb kills it or goes away or the launch is asked to end (it is
  // interrupted). Returns whether gdb went away without a word.
  bool serve(system::Debuggee& debuggee);

private:
  int listener_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace dojo::debug
