#pragma once

#include <string_view>
#include <vector>

#include "test/model/world.hpp"

/// What the kubelet of the node meant and the program on its machine do.
namespace model {

/// Its machine was told to clean itself and has begun: it does not come back.
bool kubelet_is_off(const World& world);
/// Starts and stops pods of the node that has the name now.
bool kubelet_works(const World& world);

struct CleaningStep {
  std::string_view label;
  void (*change)(World&);
};

/// What nothing keeps from being done.
std::vector<CleaningStep> steps_of_cleaning(const World& world);
/// What may be done instead.
std::vector<CleaningStep> faults_of_cleaning(const World& world);

}  // namespace model
