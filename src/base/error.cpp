#include "base/error.h"

#include <cstdio>
#include <cstdlib>

#include "base/printable.h"

namespace dojo {
namespace {

std::string_view suffix(Refusal refusal) {
  switch (refusal) {
    case Refusal::invalid:
      return "";
    case Refusal::unsupported:
      return " (unsupported)";
    case Refusal::not_yet:
      return " (not yet implemented)";
    case Refusal::unspecified:
      return " (unspecified by any public source)";
  }
  return "";
}

}  // namespace

UserError::UserError(std::string_view where, std::string_view what, Refusal refusal, Settings settings)
    : std::runtime_error(printable(where.empty() ? fmt::format("{}{}", what, suffix(refusal))
                                                 : fmt::format("{}: {}{}", where, what, suffix(refusal)))),
      where_(printable(where)),
      refusal_(refusal),
      settings_(std::move(settings)) {}

void broken_invariant(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "dojo: internal error at %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace dojo
