using System.Security.Authentication;

namespace Converter.Core.Registry;

/// <summary>A server's certificate was refused; the message says why, of "its certificate", and what to do.</summary>
internal sealed class ServerCertificateException(string message) : AuthenticationException(message);
