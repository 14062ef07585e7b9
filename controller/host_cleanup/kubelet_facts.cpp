#include "controller/host_cleanup/kubelet_facts.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>
#include <utility>

#include "controller/host_cleanup/processes.hpp"
#include "controller/host_cleanup/text.hpp"
#include "controller/small_file.hpp"
#include "crd/json.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

std::string value_in_yaml(const std::string& text, const std::string& key) {
  try {
    const auto document = YAML::Load(text);
    if (!document.IsMap()) return {};
    const auto value = document[key];
    return value && value.IsScalar() ? value.Scalar() : std::string{};
  } catch (const YAML::Exception&) {
    return {};  // the kubelet could not read it either
  }
}

/// Of `KUBELET_KUBEADM_ARGS="--a=b --c=d"`.
std::vector<std::string> arguments_in_environment_file(const std::string& text) {
  std::vector<std::string> arguments;
  for (const auto& line : lines_of(text)) {
    const auto equals = line.find('=');
    if (equals == std::string::npos || line.starts_with('#')) continue;
    auto value = line.substr(equals + 1);
    std::erase(value, '"');
    for (auto& word : words_in(value)) arguments.push_back(std::move(word));
  }
  return arguments;
}

std::string as_endpoint(const std::string& text) {
  return text.starts_with('/') ? "unix://" + text : text;
}

std::string read_if_there(const fs::path& path) {
  return controller::read_small_file(path, controller::kMaxTextFile).value_or("");
}

}  // namespace

std::optional<std::string> flag_of(const std::vector<std::string>& arguments,
                                   std::string_view name) {
  const auto option = "--" + std::string{name};
  std::optional<std::string> value;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    if (argument.starts_with(option + "=")) {
      value = argument.substr(option.size() + 1);
    } else if (argument == option && i + 1 < arguments.size()) {
      value = arguments[i + 1];
    }
  }
  return value;
}

KubeletFacts facts_of(const std::vector<std::string>& kubelet_arguments,
                      const std::function<std::string(const fs::path&)>& read) {
  const auto flag = [&](std::string_view name) {
    return flag_of(kubelet_arguments, name).value_or("");
  };
  KubeletFacts facts{.kubeconfig = flag("kubeconfig"),
                     .runtime_endpoint = flag("container-runtime-endpoint"),
                     .root_folder = flag("root-dir"),
                     .certificate_folder = flag("cert-dir"),
                     .addresses = split(flag("node-ip"), ',')};
  const auto config = flag("config");
  if (facts.runtime_endpoint.empty() && !config.empty()) {
    facts.runtime_endpoint = value_in_yaml(read(config), "containerRuntimeEndpoint");
  }
  facts.runtime_endpoint = as_endpoint(facts.runtime_endpoint);
  return facts;
}

KubeletFacts facts_of_this_machine() {
  for (const auto& process : processes()) {
    if (process.name == "kubelet") return facts_of(process.arguments, read_if_there);
  }
  const fs::path folder{kKubeletFolder};
  auto arguments = arguments_in_environment_file(read_if_there(folder / "kubeadm-flags.env"));
  arguments.insert(arguments.begin(), "--config=" + (folder / "config.yaml").string());
  return facts_of(arguments, read_if_there);
}

KubeletFacts merged(KubeletFacts known, const KubeletFacts& older) {
  const auto fill = [](auto& to, const auto& from) {
    if (to.empty()) to = from;
  };
  fill(known.kubeconfig, older.kubeconfig);
  fill(known.runtime_endpoint, older.runtime_endpoint);
  fill(known.root_folder, older.root_folder);
  fill(known.certificate_folder, older.certificate_folder);
  fill(known.addresses, older.addresses);
  return known;
}

boost::json::object to_json(const KubeletFacts& facts) {
  return {{"kubeconfig", facts.kubeconfig},
          {"runtimeEndpoint", facts.runtime_endpoint},
          {"rootFolder", facts.root_folder},
          {"certificateFolder", facts.certificate_folder},
          {"addresses", crd::json::to_array(facts.addresses)}};
}

KubeletFacts facts_from_text(std::string_view text) {
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  const auto* object = error ? nullptr : value.if_object();
  if (object == nullptr) return {};
  return {.kubeconfig = crd::json::string_at(*object, "kubeconfig"),
          .runtime_endpoint = crd::json::string_at(*object, "runtimeEndpoint"),
          .root_folder = crd::json::string_at(*object, "rootFolder"),
          .certificate_folder = crd::json::string_at(*object, "certificateFolder"),
          .addresses = crd::json::strings_at(*object, "addresses")};
}

}  // namespace host_cleanup
