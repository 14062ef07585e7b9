#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "controller/error.hpp"
#include "controller/plugin/command_line.hpp"
#include "controller/plugin/exit_code.hpp"
#include "controller/plugin/line.hpp"

namespace plugin {

void print(const std::string& text);
void print(const std::vector<Line>& lines, const Look& look);

/// The object as JSON, YAML or its name, without what the API server keeps for itself.
void print_object(boost::json::object object, OutputFormat format);

/// A line on standard error, "error: " before it. Returns the code as a number.
int complain(ExitCode code, const std::string& text);
/// What went wrong with a request, and what to do about it. Returns the number of Error.
int complain(const controller::KubeError& error);
/// A line on standard error.
void note(const std::string& text);

}  // namespace plugin
