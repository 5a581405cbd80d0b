#include "debug/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "debug/packet.h"
#include "debug/stub.h"
#include "debug/wire.h"

namespace dojo::debug {

namespace {

[[noreturn]] void cannot_listen(std::uint16_t port) {
  const std::string where = fmt::format("port {}", port);
  if (errno == EADDRINUSE)
    refuse(Settings{{"gdb"}}, where, "is in use by another program; 0 picks a free one");
  if (errno == EACCES)
    refuse(Settings{{"gdb"}}, where, "this user may not listen at such a port; 0 picks a free one");
  refuse(Settings{{"gdb"}}, where, "cannot listen for gdb: {}", std::strerror(errno));
}

// The address as the socket functions want it.
template <typename Call>
int with_address(sockaddr_in& address, Call call) {
  return call(reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(sizeof address));
}

}  // namespace

GdbServer::GdbServer(std::uint16_t port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0) cannot_listen(port);
  // A port whose last connection is only waiting for late packets may be taken again.
  const int yes = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const auto bind_it = [&](sockaddr* a, socklen_t size) { return bind(listener_, a, size); };
  if (with_address(address, bind_it) != 0 || listen(listener_, 1) != 0) {
    const int reason = errno;
    close(listener_);
    errno = reason;
    cannot_listen(port);
  }
  const auto name_it = [&](sockaddr* a, socklen_t size) { return getsockname(listener_, a, &size); };
  DOJO_ENSURE(with_address(address, name_it) == 0);
  port_ = ntohs(address.sin_port);
}

GdbServer::~GdbServer() {
  if (listener_ >= 0) close(listener_);
}

std::uint16_t GdbServer::port() const { return port_; }

bool GdbServer::serve(system::Debuggee& debuggee) {
  const auto given_up = [&] { return debuggee.asked_to_end(); };
  if (!wait_for(listener_, given_up)) {
    debuggee.interrupt();
    return false;
  }
  int socket = -1;
  do socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  while (socket < 0 && errno == EINTR);
  if (socket < 0) refuse(fmt::format("port {}", port_), "cannot accept gdb: {}", std::strerror(errno));
  // A second gdb is refused at once instead of waiting for a turn that never comes.
  close(std::exchange(listener_, -1));
  // Every stop is a handful of small packets, each waiting for the other.
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);

  Wire wire(socket, given_up);
  Stub stub(
      debuggee, [&] { return given_up() || wire.interrupted(); },
      [&](std::string_view words) { wire.send(fmt::format("O{}", to_hex(words))); });
  while (!stub.over()) {
    const std::optional<std::string> payload = wire.receive();
    if (!payload) {
      debuggee.interrupt();
      return !given_up();
    }
    const std::string answer = stub.answer(*payload);
    if (*payload != "k") wire.send(answer);  // the one packet without an answer
    if (!stub.acknowledges()) wire.stop_acknowledging();
  }
  return false;
}

}  // namespace dojo::debug
