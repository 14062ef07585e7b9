#pragma once

#include <string>
#include <string_view>

#include "reconcilers/decision.hpp"
#include "test/model/operator.hpp"
#include "test/model/world.hpp"

/// Labels of the steps in a trace.
namespace model {

std::string_view action_name(const reconcilers::Action& action);
std::string_view words_of(Fault fault);
std::string words_of(const Request& request);

}  // namespace model
