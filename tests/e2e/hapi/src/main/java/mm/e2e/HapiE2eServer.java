package mm.e2e;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.DispatcherServletAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.ServletWebServerFactoryAutoConfiguration;
import org.springframework.boot.autoconfigure.websocket.servlet.WebSocketServletAutoConfiguration;
import org.springframework.context.annotation.Import;

/**
 * A HAPI FHIR JPA server for end-to-end tests, of the release that --fhir.release
 * names (R4, R4B, R5): one process, and a database in memory unless
 * --spring.datasource.url names a file.
 *
 * <p>Auto-configuration is named piece by piece instead of switched on as a
 * whole: every piece that is not needed costs start-up time.
 */
@SpringBootConfiguration
@ImportAutoConfiguration({
    DataSourceAutoConfiguration.class,
    ServletWebServerFactoryAutoConfiguration.class,
    // What carries the websocket of subscriptions.
    DispatcherServletAutoConfiguration.class,
    WebSocketServletAutoConfiguration.class
})
@Import({StorageConfig.class, RestConfig.class})
public class HapiE2eServer {

  public static void main(String[] args) {
    SpringApplication.run(HapiE2eServer.class, args);
  }
}
