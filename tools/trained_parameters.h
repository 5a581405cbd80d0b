// Says on stderr what of a network is trained, what is not and why, and what an exporter changed.
#pragma once

#include "training/recipe.h"

namespace dojo::tools {

void say_what_is_trained(const training::TrainableNetwork& network);

}  // namespace dojo::tools
