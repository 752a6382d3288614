-- Sends requests in turn and checks that each answer has the size of one that was checked.
-- Arguments: file of the requests, file for the figures. A line of the first file is a header line, a tab and a body;
-- its first line holds the sizes allowed, separated by spaces.

local threads = {}

function setup(thread)
  thread:set("wrong", 0)
  table.insert(threads, thread)
end

function init(arguments)
  figures = arguments[2]
  allowed, requests, turn = {}, {}, 0
  for line in io.lines(arguments[1]) do
    local header, body = line:match("^([^\t]+)\t(.*)$")
    if header then
      local name, value = header:match("^([^:]+): (.*)$")
      local headers = {
        ["Host"] = wrk.headers["Host"],
        ["Content-Type"] = "application/json",
        ["Accept"] = "application/graphql-response+json, application/json",
        [name] = value,
      }
      table.insert(requests, wrk.format("POST", nil, headers, body))
    else
      for size in line:gmatch("%d+") do
        allowed[tonumber(size)] = true
      end
    end
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, headers, body)
  if status ~= 200 or not allowed[#body] then
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
    '{"requests": %d, "microseconds": %d, "p99_microseconds": %d, "wrong": %d, "broken": %d}',
    summary.requests, summary.duration, latency:percentile(99), wrong,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
  file:close()
end
