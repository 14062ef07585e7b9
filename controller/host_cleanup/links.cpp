#include "controller/host_cleanup/links.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <system_error>

#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

const fs::path kInterfaces = "/sys/class/net";

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_of_calico(std::string_view name) {
  return name.size() == 15 && name.starts_with("cali") && is_lower_hex(name.substr(4));
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Names that only these plugins give.
bool is_of_flannel_or_calico(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{"flannel-wg",     "flannel-wg-v6",
                                                   "vxlan.calico",   "vxlan-v6.calico",
                                                   "wireguard.cali", "wg-v6.cali"};
  constexpr std::array<std::string_view, 2> kNumbered{"flannel.", "flannel-v6."};
  return is_of_calico(name) || std::ranges::find(kNames, name) != kNames.end() ||
         std::ranges::any_of(kNumbered, [&](std::string_view prefix) {
           return name.starts_with(prefix) && is_number(name.substr(prefix.size()));
         });
}

bool is_of_cilium(std::string_view name) { return name.starts_with("cilium_"); }

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size()) == nullptr ? ""
                                                                                    : text.data();
  }
  if (address->sa_family != AF_INET6) return {};
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) return {};
  return ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size()) == nullptr ? ""
                                                                                    : text.data();
}

std::expected<std::map<std::string, std::set<std::string>>, std::string> all_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::unexpected("cannot read the addresses of interfaces");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, ::freeifaddrs};
  std::map<std::string, std::set<std::string>> found;
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    auto text = address_text(entry->ifa_addr);
    if (!text.empty()) found[entry->ifa_name].insert(std::move(text));
  }
  return found;
}

Link read_link(const std::string& name) {
  Link link{.name = name};
  std::error_code error;
  link.physical = fs::exists(kInterfaces / name / "device", error);
  const auto master = fs::read_symlink(kInterfaces / name / "master", error);
  if (!error) link.master = master.filename().string();
  for (fs::directory_iterator entry{kInterfaces / name, error}, end; !error && entry != end;
       entry.increment(error)) {
    const auto file = entry->path().filename().string();
    constexpr std::string_view kUpper = "upper_";
    if (file.starts_with(kUpper)) link.uppers.push_back(file.substr(kUpper.size()));
  }
  return link;
}

/// Decides over one network.
class LinkPlanner {
 public:
  explicit LinkPlanner(const Network& network) : network_(network) {
    addresses_ = network.node_addresses;
    for (const auto& link : network.links) {
      if (network.default_route.contains(link.name)) {
        addresses_.insert(link.addresses.begin(), link.addresses.end());
      }
    }
  }

  LinkPlan plan(const std::vector<std::string>& named) {
    for (const auto& name : named) decide(name);
    for (const auto& link : network_.links) {
      if (is_of_flannel_or_calico(link.name)) decide(link.name);
      if (is_of_cilium(link.name)) refuse(link.name, kCilium);
    }
    add_veths();
    return std::move(plan_);
  }

 private:
  static constexpr std::string_view kCilium =
      "Cilium's programs in the kernel have to go first: cilium-dbg post-uninstall-cleanup";

  const Link* find(std::string_view name) const {
    const auto found = std::ranges::find(network_.links, name, &Link::name);
    return found == network_.links.end() ? nullptr : &*found;
  }

  bool is_decided(std::string_view name) const {
    return std::ranges::find(decided_, name) != decided_.end();
  }

  void refuse(const std::string& name, std::string_view why) {
    if (is_decided(name)) return;
    decided_.push_back(name);
    plan_.refused.push_back(name + " (" + std::string{why} + ")");
  }

  void decide(const std::string& name) {
    const auto* link = find(name);
    if (link == nullptr || is_decided(name)) return;
    if (is_of_cilium(name)) return refuse(name, kCilium);
    if (const auto why = why_kept(*link)) return refuse(name, *why);
    decided_.push_back(name);
    if (name != "tunl0") {
      plan_.remove.push_back(name);
    } else if (!link->addresses.empty()) {
      plan_.flush.push_back(name);
    }
  }

  /// A veth of a bridge that goes is the machine's end of a pod that is gone.
  void add_veths() {
    const auto bridges = plan_.remove;
    for (const auto& link : network_.links) {
      const bool of_bridge =
          !link.master.empty() && std::ranges::find(bridges, link.master) != bridges.end();
      if (of_bridge && link.name.starts_with("veth")) decide(link.name);
    }
  }

  std::optional<std::string> why_itself_kept(const Link& link) const {
    if (link.name == "lo") return "the loopback interface";
    if (link.physical) return "a physical device";
    if (network_.default_route.contains(link.name)) return "has the default route";
    for (const auto& address : link.addresses) {
      if (addresses_.contains(address)) return "has the node's address " + address;
    }
    return std::nullopt;
  }

  std::optional<std::string> why_kept(const Link& link) const {
    if (auto why = why_itself_kept(link)) return why;
    for (const auto& other : network_.links) {
      if (other.master == link.name && other.physical) return other.name + " belongs to it";
    }
    std::vector<const Link*> above{&link};
    for (std::size_t i = 0; i < above.size(); ++i) {
      for (const auto& name : above[i]->uppers) {
        const auto* upper = find(name);
        if (upper == nullptr || std::ranges::find(above, upper) != above.end()) continue;
        if (why_itself_kept(*upper)) return name + " lies upon it";
        above.push_back(upper);
      }
    }
    return std::nullopt;
  }

  const Network& network_;
  std::set<std::string> addresses_;
  std::vector<std::string> decided_;
  LinkPlan plan_;
};

}  // namespace

LinkPlan plan_links(const Network& network, const std::vector<std::string>& named) {
  return LinkPlanner{network}.plan(named);
}

std::set<std::string> default_route_interfaces(std::string_view ipv4, std::string_view ipv6) {
  std::set<std::string> found;
  for (const auto& line : lines_of(ipv4)) {
    const auto fields = words_in(line);
    if (fields.size() > 7 && fields[1] == "00000000" && fields[7] == "00000000") {
      found.insert(fields[0]);
    }
  }
  const std::string nowhere(32, '0');
  for (const auto& line : lines_of(ipv6)) {
    const auto fields = words_in(line);
    // The kernel keeps a default route to nowhere at lo.
    if (fields.size() > 9 && fields[0] == nowhere && fields[1] == "00" && fields[9] != "lo") {
      found.insert(fields[9]);
    }
  }
  return found;
}

std::expected<Network, std::string> read_network(const std::vector<std::string>& node_addresses) {
  auto addresses = all_addresses();
  if (!addresses) return std::unexpected(addresses.error());
  Network network;
  std::error_code error;
  for (fs::directory_iterator entry{kInterfaces, error}, end; !error && entry != end;
       entry.increment(error)) {
    const auto name = entry->path().filename().string();
    // Files that control the interfaces, such as bonding_masters, lie among them.
    std::error_code ignored;
    if (!fs::is_directory(entry->path(), ignored)) continue;
    network.links.push_back(read_link(name));
    network.links.back().addresses = (*addresses)[name];
  }
  if (error) return std::unexpected("cannot list " + kInterfaces.string() + ": " + error.message());
  std::ranges::sort(network.links, {}, &Link::name);
  network.default_route = default_route_interfaces(read_kernel_file("/proc/net/route"),
                                                   read_kernel_file("/proc/net/ipv6_route"));
  network.node_addresses = {node_addresses.begin(), node_addresses.end()};
  return network;
}

bool has_link(std::string_view name) { return ::if_nametoindex(std::string{name}.c_str()) != 0; }

std::set<std::string> addresses_of(std::string_view interface) {
  auto all = all_addresses();
  return all ? (*all)[std::string{interface}] : std::set<std::string>{};
}

}  // namespace host_cleanup
