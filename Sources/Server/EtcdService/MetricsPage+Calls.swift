internal import StrakeEtcdWire

extension MetricsPage {
    mutating func network(_ service: Service) {
        value(
            "etcd_network_client_grpc_received_bytes_total", "counter",
            "The total number of bytes received from grpc clients.", service.metrics.bytesReceived.value)
        value(
            "etcd_network_client_grpc_sent_bytes_total", "counter", "The total number of bytes sent to grpc clients.",
            service.metrics.bytesSent.value)
    }

    mutating func calls(_ service: Service) {
        family("grpc_server_msg_received_total", "counter", "Messages received, by method.")
        for method in Method.allCases {
            sample("grpc_server_msg_received_total{\(labels(method))}", service.metrics.count(.received, of: method))
        }
        family(
            "grpc_server_msg_sent_total", "counter", "Messages sent, by method; a unary call that fails counts as one.")
        for method in Method.allCases {
            sample("grpc_server_msg_sent_total{\(labels(method))}", service.metrics.count(.sent, of: method))
        }
        family("grpc_server_started_total", "counter", "Total number of RPCs started on the server.")
        for method in Method.allCases {
            sample("grpc_server_started_total{\(labels(method))}", service.metrics.count(.started, of: method))
        }
        family(
            "grpc_server_handled_total", "counter",
            "Total number of RPCs completed on the server, regardless of success or failure.")
        for method in Method.allCases {
            for code in 0...16 {
                guard let status = StatusCode(rawValue: UInt8(code)) else { continue }
                sample(
                    "grpc_server_handled_total{grpc_code=\"\(Self.codeNames[code])\",\(labels(method))}",
                    service.metrics.count(.finished(status), of: method))
            }
        }
    }

    /// How long calls took, as gRPC's interceptor has it: streams too, and methods that nobody called.
    mutating func callTimes(_ service: Service) {
        let name = "grpc_server_handling_seconds"
        for (place, method) in Method.allCases.enumerated() {
            guard let times = service.metrics.handlingTimes(of: method) else { return }
            if place == 0 {
                family(
                    name, "histogram",
                    "Histogram of response latency (seconds) of gRPC that had been application-level handled by the "
                        + "server.")
            }
            buckets(name, labels: labels(method), times)
        }
    }

    /// Requests as etcd names them, streams excepted.
    mutating func requests(_ service: Service) {
        let name = "etcd_server_request_duration_seconds"
        family(name, "histogram", "Time from a request's arrival to its answer, by method.")
        for method in Method.allCases where method.isRequest {
            histograms(name, labels: "type=\"\(method.name)\"", service.metrics.times(of: method))
        }
    }

    /// What clients say they are.
    mutating func clients(_ service: Service) {
        let clients = service.metrics.clientRequests.all
        guard !clients.isEmpty else { return }
        let name = "etcd_server_client_requests_total"
        family(name, "counter", "The total number of client requests per client version.")
        for (version, counters) in clients {
            let label = "client_api_version=\"\(Self.escaped(version))\""
            let (unary, streams) = (counters.unary.value, counters.streams.value)
            if streams > 0 { sample("\(name){\(label),type=\"stream\"}", streams) }
            if unary > 0 { sample("\(name){\(label),type=\"unary\"}", unary) }
        }
    }

    mutating func scrapes(_ service: Service) {
        gauge(
            "promhttp_metric_handler_requests_in_flight", "Pages of metrics that are being made, this one included.",
            service.metrics.scrapesInFlight.value)
        family("promhttp_metric_handler_requests_total", "counter", "Pages of metrics that were made before this one.")
        sample("promhttp_metric_handler_requests_total{code=\"200\"}", service.metrics.scrapes.value)
    }

    private func labels(_ method: Method) -> String {
        "grpc_method=\"\(method.name)\",grpc_service=\"\(method.service)\",grpc_type=\"\(method.shape)\""
    }

    private static let codeNames = [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
        "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
        "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ]
}
