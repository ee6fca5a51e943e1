internal import CMapFault
internal import Glibc
internal import StrakeLogging

extension ServerLog {
    /// Has a line written, and the process ended, when a page of a mapped file cannot be read. It has no time and goes to
    /// standard error, whatever the log's outputs: what may run then is little.
    func reportMapFaults(of file: String, _ explanation: String) {
        let before = "{\"level\":\"\(Level.fatal)\",\"msg\":\"cannot read a mapped file\",\"error\":\"cannot read "
        let after = ": " + LogLine.quoted(explanation).dropFirst() + "}\n"
        // They must be there as long as the process.
        strake_report_map_faults(strdup(file), strdup(before), strdup(after))
    }
}
