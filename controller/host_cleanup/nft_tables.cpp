#include "controller/host_cleanup/nft_tables.hpp"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>

namespace host_cleanup {
namespace {

constexpr std::size_t kBuffer = 65536;

std::string family_name(unsigned char family) {
  switch (family) {
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_BRIDGE:
      return "bridge";
    case NFPROTO_NETDEV:
      return "netdev";
    default:
      return std::to_string(family);
  }
}

struct Request {
  nlmsghdr header{};
  nfgenmsg body{};
};

/// The name in an answer of the kernel.
std::string name_in(const nlmsghdr& message) {
  const auto* bytes = reinterpret_cast<const char*>(&message);
  std::size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
  while (at + sizeof(nlattr) <= message.nlmsg_len) {
    nlattr attribute{};
    std::memcpy(&attribute, bytes + at, sizeof attribute);
    if (attribute.nla_len < sizeof attribute || at + attribute.nla_len > message.nlmsg_len) break;
    if ((attribute.nla_type & NLA_TYPE_MASK) == NFTA_TABLE_NAME) {
      const std::size_t size = attribute.nla_len - sizeof attribute;
      return {bytes + at + sizeof attribute, ::strnlen(bytes + at + sizeof attribute, size)};
    }
    at += NLA_ALIGN(attribute.nla_len);
  }
  return {};
}

/// A socket that is asked once.
class Netlink {
 public:
  Netlink()
      : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)),
        error_(fd_ < 0 ? errno : 0) {}
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;
  ~Netlink() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// 0, or an errno.
  int ask() {
    if (fd_ < 0) return error_;
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    Request request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.nfgen_family = NFPROTO_UNSPEC;
    request.body.version = NFNETLINK_V0;
    return ::send(fd_, &request, sizeof request, 0) < 0 ? errno : 0;
  }

  /// True when the answer is complete.
  std::expected<bool, int> read(std::vector<NftTable>& tables) {
    if (fd_ < 0) return std::unexpected(error_);
    const auto count = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (count < 0) return std::unexpected(errno);
    auto left = static_cast<unsigned int>(count);
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) return std::unexpected(EINTR);
      if (message->nlmsg_type == NLMSG_DONE) return true;
      if (message->nlmsg_type == NLMSG_ERROR) return std::unexpected(error_in(*message));
      const auto* body = static_cast<const nfgenmsg*>(NLMSG_DATA(message));
      tables.push_back({family_name(body->nfgen_family), name_in(*message)});
    }
    return false;
  }

 private:
  static int error_in(const nlmsghdr& message) {
    const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(&message));
    return -error->error;
  }

  int fd_;
  int error_;
  alignas(nlmsghdr) std::array<char, kBuffer> buffer_{};
};

std::expected<std::vector<NftTable>, int> ask_kernel() {
  const auto netlink = std::make_unique<Netlink>();
  if (const int error = netlink->ask(); error != 0) return std::unexpected(error);
  std::vector<NftTable> tables;
  for (;;) {
    const auto complete = netlink->read(tables);
    if (!complete) return std::unexpected(complete.error());
    if (*complete) return tables;
  }
}

}  // namespace

std::expected<std::vector<NftTable>, std::string> nft_tables() {
  auto tables = ask_kernel();
  // Somebody changed them while they were listed.
  for (int i = 0; i < 10 && !tables && tables.error() == EINTR; ++i) tables = ask_kernel();
  if (tables) return std::move(*tables);
  const int error = tables.error();
  if (error == EINVAL || error == EOPNOTSUPP || error == EPROTONOSUPPORT || error == EAFNOSUPPORT) {
    return std::vector<NftTable>{};
  }
  return std::unexpected(std::string{"cannot list the tables of nftables: "} +
                         std::strerror(error));
}

bool is_table_of_kubernetes(const NftTable& table) {
  const bool ip = table.family == "ip";
  if (!ip && table.family != "ip6") return false;
  return table.name == "kube-proxy" || table.name == "calico" ||
         table.name == (ip ? "flannel-ipv4" : "flannel-ipv6");
}

bool is_table_of_iptables(const NftTable& table, bool ipv6) {
  constexpr std::array<std::string_view, 5> kNames{"filter", "nat", "mangle", "raw", "security"};
  return table.family == (ipv6 ? "ip6" : "ip") &&
         std::ranges::find(kNames, table.name) != kNames.end();
}

}  // namespace host_cleanup
