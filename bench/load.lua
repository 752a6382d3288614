-- Sends one body again and again and compares the size of each answer with that of the answer that was checked.
-- Arguments: file of the body, slug of the shop, expected bytes, file for the figures.

local threads = {}

function setup(thread)
  thread:set("wrong", 0)
  table.insert(threads, thread)
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Accept"] = "application/graphql-response+json"
  wrk.headers["Galleria-Shop"] = arguments[2]
  expected = tonumber(arguments[3])
  figures = arguments[4]
end

function response(status, headers, body)
  if status ~= 200 or #body ~= expected then
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local wrong = 0
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("wrong")
  end
  local errors = summary.errors
  local file = assert(io.open(threads[1]:get("figures"), "w"))
  file:write(string.format(
    '{"requests": %d, "microseconds": %d, "p50_microseconds": %d, "p99_microseconds": %d, "wrong": %d, "broken": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), wrong,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
  file:close()
end
