#include "controller/leader_election.hpp"

#include <unistd.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <utility>

#include "controller/backoff.hpp"
#include "controller/log.hpp"
#include "controller/wall_clock.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
namespace bj = boost::json;
using asio::awaitable;
using std::chrono::milliseconds;

constexpr Resource kLeases{"apis/coordination.k8s.io/v1", "leases", "Lease", true};
constexpr double kJitter = 1.2;  ///< client-go's JitterFactor

/// A timer sleeps by a clock that stands still while the machine is suspended, so long sleeps are
/// cut short of what matters.
milliseconds until(BootClock::time_point time) {
  return std::chrono::ceil<milliseconds>(time - BootClock::now());
}

}  // namespace

std::string make_identity() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return std::string{host.data()} + "_" +
         boost::uuids::to_string(boost::uuids::random_generator()());
}

LeaderElection::LeaderElection(KubeClient& client, LeaderElectionOptions options,
                               std::function<void(BootClock::time_point)> on_held_until)
    : client_(client),
      options_(std::move(options)),
      rules_(options_.identity, options_.durations),
      on_held_until_(std::move(on_held_until)) {}

awaitable<void> LeaderElection::acquire() {
  for (;;) {
    co_await attempt();
    if (holds()) break;
    if (!rules_.holder().empty() && told_ != rules_.holder()) {
      told_ = rules_.holder();
      log(LogLevel::Info, "waiting for the lease", {{"holder", told_}});
    }
    const milliseconds retry = options_.durations.retry;
    co_await sleep(retry +
                   std::chrono::duration_cast<milliseconds>(retry * kJitter * random_fraction()));
  }
  log(LogLevel::Info, "lease acquired", {{"identity", options_.identity}});
  // There was none before. If somebody deleted it under a holder, that one has to notice first.
  while (holds() && BootClock::now() < rules_.act_from()) {
    co_await sleep(std::min<milliseconds>(until(rules_.act_from()), options_.durations.retry));
    co_await attempt();
  }
  told_.clear();
}

awaitable<void> LeaderElection::hold() {
  while (const auto until_then = rules_.held_until()) {
    co_await sleep(std::min<milliseconds>(std::max(until(*until_then), milliseconds{1}),
                                          options_.durations.retry));
    if (!holds()) break;
    co_await attempt();
  }
  log(LogLevel::Error, "the lease is lost",
      {{"holder", rules_.holder().empty() ? "nobody" : rules_.holder()}});
}

awaitable<void> LeaderElection::release() {
  if (!holds()) co_return;
  const auto record = rules_.released_record(wall_clock());
  rules_.released();
  const auto answer = co_await update(record);
  if (answer) {
    log(LogLevel::Info, "lease released");
  } else {
    report(answer.error());
  }
}

/// One attempt to get or keep the lease. A holder writes without reading first; when that fails
/// because the lease was changed, it reads and decides anew.
awaitable<void> LeaderElection::attempt() {
  if (holds()) {
    const auto until_before = rules_.held_until();
    co_await write(false);
    if (rules_.held_until() != until_before) co_return;
  }
  if (!co_await read()) co_return;
  const auto claim = rules_.may_claim(BootClock::now());
  if (claim != LeaseRules::Claim::No) co_await write(claim == LeaseRules::Claim::Create);
}

/// True when the API server has answered.
awaitable<bool> LeaderElection::read() {
  const auto answer = co_await client_.get(ref());
  const auto now = BootClock::now();
  if (!answer && answer.error().kind != ErrorKind::NotFound) {
    report(answer.error());
    co_return false;
  }
  rules_.observe(answer ? std::optional{lease_from_json(*answer)} : std::nullopt, now);
  co_return true;
}

awaitable<void> LeaderElection::write(bool create) {
  const auto record = rules_.next_record(wall_clock());
  const auto sent_at = BootClock::now();
  const auto answer = create ? co_await make(record) : co_await update(record);
  if (answer) {
    rules_.written(lease_from_json(*answer), sent_at, create);
    on_held_until_(*rules_.held_until());
    co_return;
  }
  // Somebody else was faster; who, the next read tells.
  if (answer.error().kind == ErrorKind::Conflict || answer.error().kind == ErrorKind::NotFound) {
    co_return;
  }
  report(answer.error());
}

ObjectRef LeaderElection::ref() const { return {kLeases, options_.ns, options_.name}; }

awaitable<Result<bj::object>> LeaderElection::make(Lease record) {
  bj::object object{{"apiVersion", "coordination.k8s.io/v1"},
                    {"kind", "Lease"},
                    {"metadata", bj::object{{"name", options_.name}, {"namespace", options_.ns}}},
                    {"spec", lease_spec(record)}};
  CollectionRef collection{kLeases, options_.ns};
  co_return co_await client_.create(std::move(collection), std::move(object));
}

awaitable<Result<bj::object>> LeaderElection::update(Lease record) {
  bj::object patch{{"metadata", bj::object{{"resourceVersion", record.resource_version}}},
                   {"spec", lease_spec(record)}};
  co_return co_await client_.patch(ref(), "", std::move(patch));
}

awaitable<void> LeaderElection::sleep(milliseconds duration) {
  asio::steady_timer timer{co_await asio::this_coro::executor, duration};
  co_await timer.async_wait(asio::use_awaitable);
}

void LeaderElection::report(const KubeError& error) {
  if (error.message == told_) return;
  told_ = error.message;
  log(LogLevel::Warning, "the lease cannot be read or written", {{"error", error.message}});
}

}  // namespace controller
