// A kubeconfig, or several that are merged as kubectl does it: the first file that has an entry of
// that name, or a current-context, wins.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "controller/kubeconfig_parts.hpp"

namespace controller {
namespace {

namespace fs = std::filesystem;
using kubeconfig::child;
using kubeconfig::fail;
using kubeconfig::Failure;
using kubeconfig::list_at;
using kubeconfig::text_at;

struct Document {
  fs::path path;
  YAML::Node root;
};

/// A cluster, a user or a context, and the file that it stands in.
struct Entry {
  YAML::Node node;
  fs::path path;
};

std::string in_words(const kubeconfig::DuplicateKey& error) {
  return fmt::format("\"{}\" stands twice in the mapping that begins in line {}, column {}",
                     error.msg, error.mark.line + 1, error.mark.column + 1);
}

/// Where the parser stopped. Its own words are left out: they may quote the file, and so a secret.
Failure not_yaml(const fs::path& path, const YAML::Exception& error) {
  if (const auto* twice = dynamic_cast<const kubeconfig::DuplicateKey*>(&error)) {
    return fail("kubeconfig {}: {}", path.string(), in_words(*twice));
  }
  if (error.mark.is_null())
    return fail("kubeconfig {}: is not valid YAML for a kubeconfig", path.string());
  return fail("kubeconfig {}: is not valid YAML for a kubeconfig (line {}, column {})",
              path.string(), error.mark.line + 1, error.mark.column + 1);
}

std::string names_of(const std::vector<Document>& documents) {
  std::vector<std::string> paths;
  paths.reserve(documents.size());
  for (const auto& one : documents) paths.push_back(one.path.string());
  return fmt::format("{}", fmt::join(paths, ":"));
}

std::expected<std::vector<Document>, std::string> parse(const std::vector<KubeconfigText>& files) {
  std::vector<Document> out;
  for (const auto& file : files) {
    try {
      auto root = YAML::Load(file.yaml);
      const bool empty = root.IsNull() && files.size() > 1;
      if (!root.IsMap() && !empty) {
        return fail("kubeconfig {}: is not a kubeconfig (no YAML mapping)", file.path.string());
      }
      out.push_back({file.path, empty ? YAML::Node(YAML::NodeType::Map) : root});
    } catch (const YAML::Exception& error) {
      return not_yaml(file.path, error);
    }
  }
  return out;
}

/// The entry called `name` of one of the three lists: {name: x, <what>: {...}}. Of several files
/// the first counts; in one file a name that stands twice is refused, as by kubectl.
std::expected<Entry, std::string> find(const std::vector<Document>& documents,
                                       const std::string& what, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [path, root] : documents) {
    std::optional<Entry> found;
    try {
      for (const auto& entry : list_at(root, what + "s")) {
        names.push_back(text_at(entry, "name"));
        if (names.back() != name) continue;
        if (found) return fail("{} \"{}\" stands twice in {}", what, name, path.string());
        found = Entry{child(entry, what), path};
        if (!found->node.IsDefined() || !found->node.IsMap())
          return fail("{} \"{}\" is empty", what, name);
      }
      if (found) return *std::move(found);
    } catch (const kubeconfig::DuplicateKey& error) {
      return Failure(in_words(error));
    } catch (const YAML::Exception&) {
      return fail("the {}s of {} are not a list of {}s", what, path.string(), what);
    }
  }
  return fail("there is no {} \"{}\" (there are: {})", what, name,
              names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
}

std::expected<std::string, std::string> current_context(const std::vector<Document>& documents) {
  for (const auto& [path, root] : documents) {
    try {
      if (auto name = text_at(root, "current-context"); !name.empty()) return name;
    } catch (const YAML::Exception& error) {
      return not_yaml(path, error);
    }
  }
  return fail("kubeconfig {}: has no current-context: set one or choose with --context",
              names_of(documents));
}

/// Calls `read` with the entry; failures name the file and the entry.
template <typename Read>
kubeconfig::Checked read_entry(const std::string& what, const std::string& name, const Entry& entry,
                               Read read) {
  try {
    const auto done = read(entry.node, fs::absolute(entry.path).parent_path());
    if (done) return {};
    return fail("kubeconfig {}: {} \"{}\": {}", entry.path.string(), what, name, done.error());
  } catch (const YAML::Exception& error) {
    return not_yaml(entry.path, error);
  }
}

}  // namespace

std::expected<KubeConfig, std::string> parse_kubeconfig(const std::vector<KubeconfigText>& files,
                                                        const KubeConfigSource& source) {
  const auto documents = parse(files);
  if (!documents) return Failure(documents.error());
  const auto all = names_of(*documents);
  auto wanted = source.context;
  if (wanted.empty()) {
    auto current = current_context(*documents);
    if (!current) return Failure(std::move(current).error());
    wanted = std::move(*current);
  }
  const auto context = find(*documents, "context", wanted);
  if (!context) return fail("kubeconfig {}: {}", all, context.error());

  std::string cluster_name;
  std::string user_name;
  const auto names =
      read_entry("context", wanted, *context,
                 [&](const YAML::Node& node, const fs::path&) -> kubeconfig::Checked {
                   cluster_name = text_at(node, "cluster");
                   user_name = text_at(node, "user");
                   return {};
                 });
  if (!names) return Failure(names.error());
  if (!source.cluster.empty()) cluster_name = source.cluster;
  if (!source.user.empty()) user_name = source.user;
  const auto cluster = find(*documents, "cluster", cluster_name);
  if (!cluster) return fail("kubeconfig {}: context \"{}\": {}", all, wanted, cluster.error());
  const auto user = find(*documents, "user", user_name);
  if (!user) return fail("kubeconfig {}: context \"{}\": {}", all, wanted, user.error());

  KubeConfig config;
  for (const auto& file : files) config.files.push_back(file.path);
  config.source = fmt::format("kubeconfig {}, context {}", all, wanted);
  auto read =
      read_entry("cluster", cluster_name, *cluster, [&](const auto& node, const auto& directory) {
        return kubeconfig::read_cluster(node, directory, source, config);
      });
  if (!read) return Failure(std::move(read).error());
  read = read_entry("user", user_name, *user, [&](const auto& node, const auto& directory) {
    return kubeconfig::read_user(node, cluster->node, directory, config);
  });
  if (!read) return Failure(std::move(read).error());
  return config;
}

}  // namespace controller
