#include "system/debuggee.h"

#include "system/stranded.h"

namespace dojo::system {

ThreadState Debuggee::step(std::size_t thread) {
  execution_.step(thread);
  if (replay_ != nullptr && execution_.only_asks()) replay_->run();
  return state(thread);
}

void Debuggee::revive(std::size_t thread) {
  Thread& dead = *execution_.threads()[thread];
  if (dead.state != ThreadState::trapped) return;
  dead.hart.stop = isa::Stop::none;
  dead.state = ThreadState::runnable;
}

Stranded Debuggee::stranded(std::size_t thread) const {
  return describe(execution_, *execution_.threads()[thread], program_);
}

}  // namespace dojo::system
