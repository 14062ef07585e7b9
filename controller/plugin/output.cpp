#include "controller/plugin/output.hpp"

#include <cstdio>
#include <utility>

#include "controller/plugin/text.hpp"
#include "controller/plugin/yaml.hpp"
#include "crd/core_types.hpp"

namespace plugin {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

void print(const std::vector<Line>& lines, const Look& look) { print(render(lines, look)); }

void print_object(boost::json::object object, OutputFormat format) {
  if (format == OutputFormat::Name) {
    return print("noderemoval.noderemoval.dev/" + clean(crd::object_meta_from_json(object).name) +
                 "\n");
  }
  if (auto* metadata = object["metadata"].if_object()) metadata->erase("managedFields");
  print(format == OutputFormat::Json ? to_pretty_json(object) : to_yaml(object));
}

int complain(ExitCode code, const std::string& text) {
  note("error: " + text);
  return number(code);
}

int complain(const controller::KubeError& error) {
  auto text = error.message;
  if (error.http_status == 404 && error.kind != controller::ErrorKind::NotFound) {
    text +=
        "; this cluster does not serve NodeRemovals: install the operator, or look at another "
        "cluster with --context";
  }
  return complain(ExitCode::Error, text);
}

void note(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", clean(text).c_str());
}

}  // namespace plugin
