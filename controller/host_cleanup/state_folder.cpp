#include "controller/host_cleanup/state_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <cstring>

#include "controller/host_cleanup/command_line.hpp"
#include "controller/host_cleanup/text.hpp"
#include "controller/small_file.hpp"
#include "crd/json.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
namespace bj = boost::json;

constexpr std::size_t kMaxFile = std::size_t{64} * 1024;

std::expected<void, std::string> make_private(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return std::unexpected("cannot make " + path.string() + ": " + std::strerror(errno));
  }
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return std::unexpected(path.string() + " is not a folder that only its owner can write to");
  }
  return {};
}

std::expected<std::string, std::string> read(const fs::path& path) {
  return controller::read_small_file(path, kMaxFile);
}

}  // namespace

fs::path StateFolder::path_for(const std::string& removal_uid) {
  return fs::path{kStateFolder} / (removal_uid.empty() ? "by-hand" : removal_uid);
}

std::expected<void, std::string> StateFolder::create() const {
  std::error_code error;
  fs::create_directories(path_.parent_path().parent_path(), error);
  if (const auto made = make_private(path_.parent_path()); !made) return made;
  return make_private(path_);
}

std::expected<void, std::string> StateFolder::write(const Request& request) const {
  const bj::object object{{"removalUid", request.removal_uid},
                          {"nodeName", request.node_name},
                          {"nodeUid", request.node_uid},
                          {"timeoutSeconds", request.timeout.count()},
                          {"arguments", crd::json::to_array(request.arguments)}};
  return write_file(path_ / "request.json", bj::serialize(object) + "\n");
}

std::expected<Request, std::string> StateFolder::read_request() const {
  const auto text = read(path_ / "request.json");
  if (!text) return std::unexpected(text.error());
  boost::system::error_code error;
  const auto value = bj::parse(*text, error);
  const auto* object = error ? nullptr : value.if_object();
  if (object == nullptr) return std::unexpected("request.json is not JSON");
  Request request{
      .removal_uid = crd::json::string_at(*object, "removalUid"),
      .node_name = crd::json::string_at(*object, "nodeName"),
      .node_uid = crd::json::string_at(*object, "nodeUid"),
      .timeout = std::chrono::seconds{crd::json::int_at(*object, "timeoutSeconds").value_or(0)},
      .arguments = crd::json::strings_at(*object, "arguments")};
  if (!is_uid(request.removal_uid) || !is_uid(request.node_uid) || request.node_name.empty()) {
    return std::unexpected("request.json names no removal and no node");
  }
  return request;
}

std::expected<void, std::string> StateFolder::write(const crd::HostReport& report) const {
  return write_file(path_ / "result.json", bj::serialize(crd::to_json(report)) + "\n");
}

std::optional<crd::HostReport> StateFolder::read_report() const {
  const auto text = read(path_ / "result.json");
  return text ? crd::host_report_from_text(*text) : std::nullopt;
}

KubeletFacts StateFolder::remembered(KubeletFacts now) const {
  return merged(std::move(now), facts_from_text(read(path_ / "facts.json").value_or("")));
}

std::expected<void, std::string> StateFolder::write(const KubeletFacts& facts) const {
  return write_file(path_ / "facts.json", bj::serialize(to_json(facts)) + "\n");
}

}  // namespace host_cleanup
