import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.CatalogUtil;
import org.apache.iceberg.rest.RESTCatalogAdapter;
import org.apache.iceberg.rest.RESTCatalogServlet;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;

/**
 * Serves Iceberg's JDBC catalog by the REST protocol, on loopback alone (the server that comes with Iceberg listens on every
 * interface). Arguments: the port, and a file of properties for the catalog.
 */
public final class CatalogServer {
  private CatalogServer() {}

  public static void main(String[] arguments) throws Exception {
    var lines = new Properties();
    try (var reader = Files.newBufferedReader(Path.of(arguments[1]))) {
      lines.load(reader);
    }
    Map<String, String> properties = new HashMap<>();
    lines.forEach((key, value) -> properties.put(key.toString(), value.toString()));

    var catalog = CatalogUtil.buildIcebergCatalog("test", properties, new Configuration());
    var handler = new ServletContextHandler(ServletContextHandler.NO_SESSIONS);
    handler.addServlet(new ServletHolder(new RESTCatalogServlet(new RESTCatalogAdapter(catalog))), "/*");
    var server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
    server.setHandler(handler);
    server.start();
    server.join();
  }
}
