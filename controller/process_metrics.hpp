#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace controller {

/// process_* as the Prometheus client libraries name them, read from /proc now. What cannot be read
/// is left out.
std::vector<prometheus::MetricFamily> process_metrics();

}  // namespace controller
