#include "controller/host_cleanup/ipvs_table.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

std::optional<std::uint32_t> hex(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> address_v4(std::string_view text) {
  const auto number = hex(text);
  if (!number || text.size() != 8) return std::nullopt;
  std::array<char, INET_ADDRSTRLEN> out{};
  const in_addr address{.s_addr = htonl(*number)};
  ::inet_ntop(AF_INET, &address, out.data(), out.size());
  return out.data();
}

std::optional<std::string> address_v6(std::string_view text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (::inet_pton(AF_INET6, std::string{text}.c_str(), &address) != 1) return std::nullopt;
  ::inet_ntop(AF_INET6, &address, out.data(), out.size());
  return out.data();
}

std::string option_of(std::string_view protocol) {
  if (protocol == "TCP") return "-t";
  if (protocol == "UDP") return "-u";
  if (protocol == "SCTP") return "--sctp-service";
  return protocol == "FWM" ? "-f" : "";
}

/// "0A600001:01BB", "[fd00:...:0001]:01BB", or the mark "00000001".
std::optional<VirtualService> service_of(std::string_view protocol, std::string_view where) {
  VirtualService service{.option = option_of(protocol), .address = {}, .where = {}};
  if (service.option.empty()) return std::nullopt;
  const auto colon = where.rfind(':');
  const auto number = hex(where.substr(colon == std::string_view::npos ? 0 : colon + 1));
  if (!number) return std::nullopt;
  if (service.option == "-f") {
    service.where = std::to_string(*number);
    return service;
  }
  if (colon == std::string_view::npos) return std::nullopt;
  const auto host = where.substr(0, colon);
  const bool v6 = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  const auto address = v6 ? address_v6(host.substr(1, host.size() - 2)) : address_v4(host);
  if (!address) return std::nullopt;
  service.address = *address;
  service.where = (v6 ? "[" + *address + "]" : *address) + ":" + std::to_string(*number);
  return service;
}

}  // namespace

std::expected<std::vector<VirtualService>, std::string> virtual_services_of(std::string_view text) {
  std::vector<VirtualService> services;
  for (const auto& line : lines_of(text)) {
    const auto words = words_in(line);
    const bool heading = line.starts_with("IP Virtual Server") || line.starts_with("Prot ");
    if (words.size() < 2 || heading || words[0] == "->") continue;
    auto service = service_of(words[0], words[1]);
    if (!service) return std::unexpected("cannot read this service of IPVS: " + cut(line, 80));
    services.push_back(std::move(*service));
  }
  return services;
}

std::vector<VirtualService> services_of_kube_proxy(const std::vector<VirtualService>& services,
                                                   const std::set<std::string>& addresses) {
  std::vector<VirtualService> found;
  std::ranges::copy_if(services, std::back_inserter(found), [&](const VirtualService& service) {
    return !service.address.empty() && addresses.contains(service.address);
  });
  return found;
}

}  // namespace host_cleanup
