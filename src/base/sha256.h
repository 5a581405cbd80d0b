// SHA-256 (FIPS 180-4) through OpenSSL, for hashes of weights, programs and checkpoints.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace dojo {

class Sha256 {
public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::span<const std::byte> bytes);
  std::string hex();  // 64 lower-case digits; the object is finished afterwards

private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace dojo
